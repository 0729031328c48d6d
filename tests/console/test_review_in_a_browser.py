"""The review pages in Chromium: the map, acts with and without JavaScript, the keyboard, what is legible."""

import io

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from support.alert_seed import (
    SeededAlert,
    approximate_alert,
    check_in,
    read,
)
from support.browser import Site

DRAWN = "#map[data-drawn=yes]"


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
