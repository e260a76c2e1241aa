"""Debian's Chromium, driven by Playwright; `make test` installs it where it may."""

import shutil

import pytest
from present.example import example_run

from bench.analyze.results import results
from bench.present.html import page as html

HOSTILE = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script> </script> \'quoted\' & "so"'


@pytest.fixture(scope="session")
def chromium():
    """A running browser; without one the tests that want it are skipped."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium here; install it with `apt-get install chromium`")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The report of a run on a GPU and of one of tiny models, whose title and remarks want to be markup."""
    folder = tmp_path_factory.mktemp("reports")
    full = example_run(folder / "full", title=HOSTILE)
    tiny = example_run(folder / "tiny", title="Tiny", size="tiny", remarks=f"idle({HOSTILE})")
    return html.write([(run, results(run)) for run in (full, tiny)], folder / "report.html")


@pytest.fixture
def open_page(chromium, report):
    """Open the report in a fresh context and return the page; keeps what went wrong and what was asked for."""
    contexts = []

    def open_(*, width=1280, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(report.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page):
    """The report on a screen, in light colors."""
    return open_page(color_scheme="light")
