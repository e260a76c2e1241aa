"""The report as a reader sees it: in a real browser."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

pytestmark = pytest.mark.slow

TABLE = ".scenario .grid"
RAW = ".raw .grid"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
WHITE, NIGHT = "rgb(255, 255, 255)", "rgb(20, 23, 26)"


def column(page, grid, name):
    """Return the texts of a column of the first table like `grid`, in the order in which they stand."""
    table = page.locator(grid).first
    at = [text.strip() for text in table.locator("thead th").all_inner_texts()].index(name)
    return [row.locator("th, td").nth(at).inner_text() for row in table.locator("tbody tr").all()]


def click(page, name, grid=TABLE):
    page.locator(grid).first.get_by_role("button", name=name, exact=True).click()


def names(page):
    """Return the rows of the first table that are shown, by their headings without labels."""
    return [row.split()[0] for row in page.locator(TABLE).first.locator("tbody th:visible").all_inner_texts()]


def card(page, case):
    return page.locator(".card", has=page.get_by_label(f"Picture of {case}", exact=True)).first


def brightest(locator):
    """Return the highest value of any color in what an element shows, without its edge, which may share a pixel."""
    with Image.open(io.BytesIO(locator.screenshot())) as image:
        inside = image.convert("RGB").crop((2, 2, image.width - 2, image.height - 2))
        return max(high for _, high in inside.getextrema())


VISIBLE = 8
"""Of 255. Where two of the browser's tiles meet inside a scaled picture, a row of pixels may be off by a few."""


def test_sorting_by_latency_goes_by_the_numbers_and_puts_what_has_none_last(page):
    click(page, "latency")
    assert names(page) == ["unipc", "fp16", "sliced", "tf32", "latent", "baseline", "compiled", "huge", "flash"]


def test_sorting_again_turns_the_order_and_what_has_none_stays_last(page):
    click(page, "latency")
    click(page, "latency")
    assert names(page) == ["baseline", "latent", "tf32", "sliced", "fp16", "unipc", "flash", "huge", "compiled"]


def test_an_infinite_psnr_is_above_every_other(page):
    click(page, "similarity")
    known = [name for name in column(page, TABLE, "similarity") if name]
    assert known == ["17.4 dB", "42.1 dB", "identical"]


def test_words_are_sorted_as_words(page):
    click(page, "setup")
    assert names(page)[:3] == ["baseline", "compiled", "flash"]


def test_the_order_is_told_to_those_who_cannot_see_it(page):
    click(page, "latency")
    orders = page.locator(TABLE).first.locator("thead [aria-sort]")
    assert [order.get_attribute("aria-sort") for order in orders.all()] == ["ascending"]


def test_the_keyboard_sorts_too(page):
    page.locator(TABLE).first.get_by_role("button", name="latency", exact=True).focus()
    page.keyboard.press("Enter")
    assert names(page)[0] == "unipc"


def test_filtering_leaves_the_rows_with_all_the_words(page):
    page.locator(TABLE).first.get_by_role("searchbox").fill("DOCUMENTED fp16")
    assert names(page) == ["fp16"]


def test_filtering_says_how_many_rows_are_left(page):
    page.locator(TABLE).first.get_by_role("searchbox").fill("did not")
    assert page.locator(TABLE).first.locator("output").inner_text() == "1 of 9"


def test_an_empty_filter_shows_all_rows_again(page):
    search = page.locator(TABLE).first.get_by_role("searchbox")
    search.fill("fp16")
    search.fill("")
    assert len(names(page)) == 9


def test_raw_numbers_are_sorted_at_full_precision(page):
    page.get_by_text("Outcome and timing").first.click()
    click(page, "latency_median_s", RAW)
    names = [name.split()[0] for name in page.locator(RAW).first.locator("thead th").all_inner_texts()]
    place = names.index("latency_median_s") + 1
    values = page.locator(RAW).first.locator(f"tbody td[data-value]:nth-child({place})")
    shown = [float(value.get_attribute("data-value")) for value in values.all()]
    assert shown == sorted(shown)
    assert len(shown) > 3


def test_the_slider_moves_the_line_between_two_pictures(page):
    shown = card(page, "fp16")
    shown.get_by_role("slider").fill("20")
    assert shown.locator(".over").evaluate("each => getComputedStyle(each).clipPath") == "inset(0px 0px 0px 20%)"


def test_the_slider_brings_back_the_split_view(page):
    shown = card(page, "fp16")
    shown.get_by_label("difference").check()
    shown.get_by_role("slider").fill("20")
    assert shown.get_by_label("split").is_checked()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_difference_of_identical_pictures_is_black(open_page, scripts):
    shown = card(open_page(java_script_enabled=scripts), "tf32")
    shown.get_by_label("difference").check()
    assert brightest(shown.locator(".stage")) < VISIBLE


def test_the_difference_of_others_is_not(page):
    shown = card(page, "fp16")
    shown.get_by_label("difference").check()
    assert brightest(shown.locator(".stage")) > VISIBLE


def test_the_baseline_can_be_seen_alone(page):
    shown = card(page, "fp16")
    shown.get_by_label("baseline", exact=True).check()
    assert not shown.locator(".over").is_visible()


def test_the_colors_are_those_that_the_reader_prefers(open_page):
    assert [open_page(color_scheme=each).evaluate(BACKGROUND) for each in ("light", "dark")] == [WHITE, NIGHT]


def test_a_button_turns_the_colors(page):
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(BACKGROUND) == NIGHT


def test_plots_turn_with_the_page(page):
    ink = "getComputedStyle(document.querySelector('.plot text')).fill"
    light = page.evaluate(ink)
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(ink) != light


def test_nothing_goes_wrong_while_everything_is_used(page):
    for summary in page.locator("summary").all():
        summary.click()
    for button in page.locator("button:visible").all()[:40]:
        button.click()
    for view in page.get_by_role("radio").all():
        view.check()
    assert page.said == []


def test_nothing_is_requested_but_the_file_itself(page, report):
    loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {url for url in [*page.asked, *loaded] if not url.startswith("data:")} == {report.as_uri()}


def test_the_browser_would_refuse_to_load_anything(page):
    refused = page.evaluate(
        """() => new Promise(done => {
            addEventListener("securitypolicyviolation", event => done(event.effectiveDirective));
            const image = new Image();
            image.src = "http://127.0.0.1:9/pixel.png";
        })"""
    )
    assert refused == "img-src"


def test_nothing_from_a_scenario_runs(page):
    assert page.evaluate("window.ran") is None


def test_a_title_that_wants_to_be_markup_is_read_as_it_is_written(page):
    assert page.get_by_role("heading", name="<script>window.ran = 1</script>").first.is_visible()


def test_without_scripts_the_tables_are_there_and_their_controls_are_not(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator(TABLE).first.locator("tbody tr").count() == 9
    assert page.locator("thead button, input[type=search], .slide:visible, #theme:visible").count() == 0


def test_a_telephone_scrolls_in_one_direction_only(open_page):
    page = open_page(width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_paper_has_no_controls_and_no_raw_numbers(page):
    page.emulate_media(media="print")
    assert page.locator("input:visible, #theme:visible, nav:visible, .raw table:visible").count() == 0


def test_paper_is_light_for_a_reader_in_the_dark(open_page):
    page = open_page(color_scheme="dark")
    page.get_by_role("button", name="Light").click()
    page.get_by_role("button", name="Dark").click()
    page.emulate_media(media="print")
    assert page.evaluate(BACKGROUND) == WHITE


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_axe_has_no_serious_finding(open_page, color_scheme):
    page = open_page(color_scheme=color_scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}] == []
