"""The review pages in Chromium as alerts come and change: rows, notices, claims, one stream for all tabs."""

import asyncio
from datetime import timedelta

from playwright.async_api import Page, expect

from support.alert_seed import (
    NOW,
    SeededAlert,
    approximate_alert,
    read,
    tell_outbox,
)
from support.browser import Site


async def test_a_new_alert_comes_by_itself_and_the_empty_state_goes(site: Site) -> None:
    """Within a second of the commit; the empty state proved life before."""
    page = await site.open("/alerts")
    await expect(page.locator("#empty")).to_contain_text("Last read 4 s ago, 37 of 40 readers.")
    await asyncio.sleep(0.5)
    number = await site.seed(SeededAlert(events=[read(3)]))
    row = page.locator(f"#alert-{number}")
    await expect(row).to_be_visible(timeout=3000)
    await expect(row).to_contain_text("Live")
    await expect(row).to_contain_text("✓")
    await expect(page.locator("#empty")).to_be_hidden()
    await expect(page.locator('.count[data-list="live"]')).to_have_text("1", timeout=8000)


async def test_new_alerts_wait_while_somebody_is_at_the_list(site: Site) -> None:
    """Rows never move under the pointer or the keyboard: a button says how many wait."""
    first = await site.seed(SeededAlert(events=[read(9)]))
    page = await site.open("/alerts")
    await page.locator(f"#alert-{first} a").focus()
    top = await page.locator(f"#alert-{first}").bounding_box()
    await site.seed(SeededAlert(events=[read(8)]))
    newest = await site.seed(approximate_alert())
    button = page.locator("#show-new")
    await expect(button).to_have_text("2 new alerts: show", timeout=4000)
    await expect(page.locator("#rows li")).to_have_count(1)
    await expect(page).to_have_title("(2) Live · stayaway")
    assert top is not None
    await button.click()
    await expect(page.locator("#rows li")).to_have_count(3)
    await expect(page.locator(f"#alert-{newest} a")).to_be_focused()


async def test_a_change_is_drawn_in_its_place_and_keeps_the_focus(site: Site) -> None:
    number = await site.seed(SeededAlert(events=[read(9)]))
    lists = await site.open("/alerts")
    link = lists.locator(f"#alert-{number} a")
    await link.focus()
    alert = await site.open(f"/alerts/{number}")
    await alert.get_by_role("button", name="Claim for 90 s").click()
    await expect(lists.locator(f"#alert-{number}")).to_contain_text("Claimed by desk", timeout=4000)
    await expect(link).to_be_focused()
    site.wall[0] = NOW + timedelta(seconds=91)
    await expect(lists.locator(f"#alert-{number}")).to_contain_text("the claim ran out", timeout=12_000)


async def test_an_open_page_says_that_its_alert_changed(site: Site) -> None:
    number = await site.seed(SeededAlert(events=[read(9)]))
    mine = await site.open(f"/alerts/{number}")
    await asyncio.sleep(0.5)
    theirs = await site.open(f"/alerts/{number}")
    await theirs.locator("#reason_code").select_option("MISREAD")
    await theirs.get_by_role("button", name="Dismiss", exact=True).click()
    await expect(mine.locator("#changed")).to_contain_text("This alert is now dismissed.", timeout=4000)


async def test_a_lost_connection_is_said_and_mended(site: Site) -> None:
    page = await site.open("/alerts")
    await asyncio.sleep(0.5)
    await page.context.set_offline(True)
    await site.outbox.stop()  # ends the open streams, as a server that goes away does
    await expect(page.locator("#lost")).to_be_visible(timeout=15_000)
    site.outbox.stopping = False
    await page.context.set_offline(False)
    await expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    site.complaints[:] = [text for text in site.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


async def _tabs(site: Site, paths: list[str]) -> list[Page]:
    """Pages of one browser, which share its connections."""
    first = await site.open(paths[0])
    pages = [first]
    for path in paths[1:]:
        page = await first.context.new_page()
        await page.goto(site.base + path)
        pages.append(page)
    return pages


async def test_eight_tabs_share_one_stream_and_the_eighth_can_act(site: Site) -> None:
    """Chromium allows six connections to one origin; whichever tab is closed, the others hear on."""
    number = await site.seed(SeededAlert(events=[read(9)]))
    tabs = await _tabs(site, ["/alerts"] * 7 + [f"/alerts/{number}"])
    await tabs[7].locator("#reason_code").select_option("MISREAD")
    await tabs[7].get_by_role("button", name="Dismiss", exact=True).click()
    await expect(tabs[7].locator("#decide")).to_contain_text("MISREAD")
    second = await site.seed(SeededAlert(events=[read(8)]))
    for tab in tabs[:7]:
        await expect(tab.locator(f"#alert-{second}")).to_have_count(1, timeout=6000)
    await tabs[0].close()
    third = await site.seed(SeededAlert(events=[read(7)]))
    for tab in tabs[1:7]:
        await expect(tab.locator(f"#alert-{third}")).to_have_count(1, timeout=3000)
        await expect(tab.locator("#lost")).to_be_hidden()


async def test_a_browser_without_shared_workers_follows_by_itself(site: Site) -> None:
    page = await site.open("/alerts")
    await page.add_init_script("delete window.SharedWorker")
    await page.reload()
    await expect(page.locator("#lost")).to_be_hidden(timeout=8000)
    number = await site.seed(SeededAlert(events=[read(9)]))
    await expect(page.locator(f"#alert-{number}")).to_be_visible(timeout=5000)


async def test_a_renewed_claim_does_not_read_as_run_out(site: Site) -> None:
    number = await site.seed(SeededAlert(events=[read(9)]))
    await site.pool.execute(
        "UPDATE alert SET state = 'CLAIMED', claimed_by = 'ann', claimed_until = $1",
        NOW + timedelta(seconds=90),
    )
    page = await site.open("/alerts")
    await expect(page.locator(f"#alert-{number}")).to_contain_text("Claimed by ann")
    renewed = NOW + timedelta(seconds=180)
    await site.pool.execute("UPDATE alert SET claimed_until = $1", renewed)
    site.wall[0] = NOW + timedelta(seconds=100)
    state = page.locator(f"#alert-{number} .state-text")
    await expect(state).to_have_attribute("data-until", renewed.strftime("%Y-%m-%dT%H:%M:%SZ"), timeout=8000)
    await expect(state).to_have_text("Claimed by ann")


async def test_a_claim_that_is_not_renewed_is_said_until_it_runs_out(site: Site) -> None:
    number = await site.seed(SeededAlert(events=[read(9)]))
    page = await site.open("/alerts")
    await page.add_init_script(
        "const later = window.setTimeout;"
        "window.setTimeout = (act, ms) => later(act, ms === 30000 ? 300 : ms);"
    )
    await page.route("**/api/v1/alerts/*/claim", lambda route: route.fulfill(status=500, body="{}"))
    await page.goto(f"{site.base}/alerts/{number}")
    await page.get_by_role("button", name="Claim for 90 s").click()
    notice = page.locator("#claim-notice")
    await expect(notice).to_contain_text("Your claim was not renewed: it ends in")
    site.wall[0] = NOW + timedelta(seconds=91)
    await expect(notice).to_contain_text("Your claim ran out.", timeout=8000)
    site.complaints[:] = [text for text in site.complaints if "500" not in text]


async def test_an_open_page_ages_and_tells_a_newer_sighting_and_keeps_what_was_typed(site: Site) -> None:
    number = await site.seed(SeededAlert(events=[read(0)]))
    page = await site.open(f"/alerts/{number}")
    await page.locator("#reason_code").select_option("MISREAD")
    await expect(page.locator("#lead-title")).to_have_text("UNVERIFIED LEAD, read less than 1 min ago.")
    site.read_now[0] = NOW + timedelta(minutes=45)
    await expect(page.locator("#lead-title")).to_have_text("UNVERIFIED LEAD, read 45 min ago.", timeout=8000)
    async with site.pool.acquire() as conn, conn.transaction():
        alert_id = await conn.fetchval(
            "UPDATE alert SET sighting_count = 2, last_observed_at = $1 RETURNING alert_id",
            NOW + timedelta(minutes=1),
        )
        await tell_outbox(conn, alert_id, "UPDATED")
    await expect(page.locator("#changed")).to_contain_text("1 more sighting. Load it again", timeout=4000)
    await expect(page.locator("#reason_code")).to_have_value("MISREAD")


async def test_a_page_too_far_behind_keeps_what_was_typed(site: Site) -> None:
    """The database was put back to an earlier state: the alert's page says so, and loads nothing itself."""
    number = await site.seed(SeededAlert(events=[read(9)]))
    page = await site.open(f"/alerts/{number}")
    await page.locator("#reason_code").select_option("MISREAD")
    await site.pool.execute("UPDATE outbox_head SET outbox_sequence = outbox_sequence + 5000")
    await expect(page.locator("#changed")).to_contain_text("too far behind", timeout=8000)
    await expect(page.locator("#reason_code")).to_have_value("MISREAD")
