"""The review pages in Chromium: live rows, the map, acts with and without JavaScript, the keyboard.

Skipped where Chromium is absent; required in CI.
"""

import asyncio
import io
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

from stayaway.api.settings import ReviewSettings, StreamStatus
from stayaway.console.app import create_app
from stayaway.console.live import Outbox
from stayaway.console.serve import serve
from stayaway.platform.postgres import Pool, open_pool
from stayaway.platform.seal import FileSeal
from support.alert_seed import (
    NOW,
    SeededAlert,
    approximate_alert,
    check_in,
    images,
    import_orders,
    order,
    read,
    review_policy,
    seed_alert,
    tell_outbox,
)

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
DRAWN = "#map[data-drawn=yes]"


@dataclass
class Site:
    """A served page, its database, and its clock."""

    base: str
    pool: Pool
    seal: FileSeal
    outbox: Outbox
    browser: Browser
    wall: list[datetime]
    read_now: list[datetime]
    complaints: list[str] = field(default_factory=list)

    async def seed(self, alert: SeededAlert) -> int:
        async with self.pool.acquire() as conn:
            return await seed_alert(conn, self.seal, alert)

    async def open(
        self, path: str, *, javascript: bool = True, scheme: str = "dark", width: int = 1280
    ) -> Page:
        context = await self.browser.new_context(
            java_script_enabled=javascript,
            color_scheme="light" if scheme == "light" else "dark",
            viewport={"width": width, "height": 900},
        )
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._note_request(request.url))
        await page.goto(self.base + path)
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "GPU stall" not in text and "GroupMarker" not in text:
            self.complaints.append(text)

    def _note_request(self, url: str) -> None:
        if not url.startswith((self.base, "data:")):
            self.complaints.append(f"asked elsewhere: {url}")


@pytest.fixture
async def site(database: str, seal: FileSeal) -> AsyncIterator[Site]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs Chromium: install Debian's package chromium")
        pytest.skip("no Chromium here (Debian's package chromium)")
    async with await open_pool(database, wait_s=5, on_wait=print) as pool, async_playwright() as playwright:
        async with pool.acquire() as conn:
            await import_orders(conn, seal, [order(confidentiality=["ADDRESS_WITHHELD"])])
        wall, read_now = [NOW], [NOW]
        settings = ReviewSettings(
            pool=pool,
            seal=seal,
            policy=review_policy(),
            clock=lambda: read_now[0],
            wall_clock=lambda: wall[0],
            images=images,
            status=lambda: StreamStatus(last_read_s=4, readers_heard=37, readers_known=40),
        )
        app = create_app(settings, database)
        stop = asyncio.Event()
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, on_listening=listening.set_result))
        base = (await listening).rstrip("/")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = Site(base, pool, seal, app.state.outbox, browser, wall, read_now)
        yield opened
        await browser.close()
        stop.set()
        await asyncio.wait_for(task, 5)
        assert opened.complaints == []


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


async def test_the_lists_are_told_apart_by_shape_label_and_colour(site: Site) -> None:
    seen = set()
    for name, cautions in (("live", []), ("historical", ["HISTORICAL"]), ("ended", ["ORDER_SINCE_ENDED"])):
        number = await site.seed(SeededAlert(events=[read(5, event_id=name)], cautions=cautions))
        page = await site.open(f"/alerts?list={name}")
        badge = page.locator(f"#alert-{number} .badge")
        shape = await badge.locator("svg").inner_html()
        label = await badge.inner_text()
        colour = await badge.evaluate("node => getComputedStyle(node).color")
        seen.add((shape, label.strip(), colour))
        await expect(page.locator("#rows li")).to_have_count(1)
    assert [len({item[part] for item in seen}) for part in range(3)] == [3, 3, 3]


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_map_is_drawn_under_the_strict_policy(site: Site, scheme: str) -> None:
    """WebGL, worker and all, with nothing asked of any other place."""
    number = await site.seed(approximate_alert())
    page = await site.open(f"/alerts/{number}", scheme=scheme)
    await page.wait_for_selector(DRAWN)
    await expect(page.locator(".map .pin")).to_have_text("1")
    picture = Image.open(io.BytesIO(await page.locator("#map canvas").screenshot())).convert("RGB")
    centre = picture.getpixel((picture.width // 2 - 30, picture.height // 2 + 30))
    corner = picture.getpixel((picture.width - 5, picture.height - 5))
    assert centre != corner  # the zone's fill over the plain ground


async def test_many_check_ins_are_dots_between_the_first_and_the_last(site: Site) -> None:
    events = [check_in(minutes, east_m=minutes) for minutes in range(1, 31)]
    number = await site.seed(SeededAlert(events=events, match_kind="DEVICE", vehicle_id=None))
    page = await site.open(f"/alerts/{number}")
    await page.wait_for_selector(DRAWN)
    await expect(page.locator(".map .pin.dot")).to_have_count(28)
    await expect(page.locator(".map .pin:not(.dot)")).to_have_count(2)


async def test_claim_and_confirm_with_the_keyboard_alone(site: Site) -> None:
    """Every control is reached by Tab, in reading order, and shows its focus."""
    number = await site.seed(approximate_alert())
    page = await site.open("/alerts")
    await _tab_to(page, f"#alert-{number} a")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/alerts/{number}")
    await _tab_to(
        page, "#decide .confirm", toggle=('input[value="OFFICER_SIGHT"]', 'input[name="second_look"]')
    )
    await page.keyboard.press("Enter")
    await expect(page.locator(".banner.done")).to_contain_text("verified lead, nothing more")
    await expect(page.locator(".banner.done")).to_contain_text("not verified")


async def _tab_to(page: Page, target: str, toggle: tuple[str, ...] = ()) -> None:
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        for wanted in (*toggle, 'input[name="sight"]'):
            if toggle and await focused.evaluate("(node, wanted) => node.matches(wanted)", wanted):
                if wanted == 'input[name="sight"]':
                    await page.keyboard.press("ArrowDown")
                elif not await focused.is_checked():
                    await page.keyboard.press("Space")
        if await focused.evaluate("(node, target) => node.matches(target)", target):
            outline = await focused.evaluate("node => getComputedStyle(node).outlineStyle")
            assert outline != "none"
            return
    pytest.fail(f"{target} is not reached by Tab")


async def test_everything_works_without_javascript(site: Site) -> None:
    """List, drawing, claim, the refusal with what is missing, dismissal: plain forms."""
    number = await site.seed(approximate_alert())
    page = await site.open("/alerts", javascript=False)
    await page.locator(f"#alert-{number} a").click()
    await expect(page.locator("svg.sketch")).to_be_visible()
    await page.get_by_role("button", name="Claim for 90 s").click()
    await expect(page.locator("#decide")).to_contain_text("You hold this alert")
    await page.locator("#reason_code").select_option("WRONG_VEHICLE")
    await page.get_by_role("button", name="Dismiss", exact=True).click()
    await expect(page.locator("#decide")).to_contain_text("Another vehicle than the order's (WRONG_VEHICLE)")


async def test_a_missing_statement_is_named_and_what_was_typed_stays(site: Site) -> None:
    number = await site.seed(approximate_alert())
    page = await site.open(f"/alerts/{number}")
    await page.evaluate("document.querySelectorAll('[required]').forEach((node) => (node.required = false))")
    await page.locator('input[name="second_look"]').check()
    await page.get_by_role("button", name="Confirm as a verified lead").click()
    await expect(page.locator("#problem")).to_be_focused()
    await expect(page.locator('#problem a[href="#sight"]')).to_be_visible()
    await expect(page.locator('input[name="second_look"]')).to_be_checked()
    # The browser itself tells of the 422 answer.
    site.complaints[:] = [text for text in site.complaints if "422" not in text]


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


@pytest.mark.parametrize("width", [360, 768, 1440])
async def test_nothing_runs_over_the_edge(site: Site, width: int) -> None:
    """Narrow or wide, the page itself never scrolls sideways, and what is pressed is large enough."""
    number = await site.seed(approximate_alert())
    for path in ("/alerts", f"/alerts/{number}"):
        page = await site.open(path, width=width)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        for button in await page.locator("button:visible, select:visible, .row-link:visible").all():
            box = await button.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 24


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_text_stands_out_from_its_ground(site: Site, scheme: str) -> None:
    """At least 4.5:1 for every text, in both themes (WCAG 1.4.3)."""
    number = await site.seed(approximate_alert())
    for path in ("/alerts", f"/alerts/{number}"):
        page = await site.open(path, scheme=scheme)
        faint = await page.evaluate(_CONTRAST)
        assert faint == []


_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (css) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgb(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *:not(svg *, .map *, script, .sr, :disabled)")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(".is-closed")) continue;
    const [one, two] = [light(rgb(getComputedStyle(node).color)), light(ground(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < 4.5) faint.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""
