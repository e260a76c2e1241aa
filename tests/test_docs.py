"""The documentation against the code: generated pages are current, links resolve, lists are complete."""

import importlib.util

import pytest
from pages import CHANGELOG, DOCS, PAGES, anchors, blocks, links
from support import ROOT

from bench.cli.app import app
from bench.records.outcomes import Status

LONGEST_README = 130
EXTERNAL = ("https://", "http://", "mailto:")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("docs_tool", ROOT / "tools" / "docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words_of(path):
    return path.read_text(encoding="utf-8")


def broken_links(page):
    broken = []
    for target in links(page):
        if target.startswith(EXTERNAL):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", [*PAGES, CHANGELOG], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    assert broken_links(page) == []


@pytest.mark.parametrize("target", ["gone.md", "page.md#gone", "#gone"])
def test_a_broken_link_is_found(tmp_path, target):
    page = tmp_path / "page.md"
    page.write_text(f"# Here\n\n[a](page.md#here) [b](#here) [c]({target})\n")
    assert broken_links(page) == [target]


def test_generated_pages_are_up_to_date(tool):
    stale = [path.name for path, text in tool.pages().items() if words_of(path) != text]
    assert stale == [], "run `make docs`"


def test_every_key_of_a_scenario_is_explained(tool):
    schema = tool.json_schema()
    groups = {"a scenario": schema, **schema["$defs"]}
    silent = [
        f"{name}: {key}"
        for name, group in groups.items()
        for key, found in group["properties"].items()
        if not found.get("description") and "$ref" not in str(found)
    ]
    assert silent == []


def test_the_readme_fits_two_screens():
    assert len(words_of(ROOT / "README.md").splitlines()) <= LONGEST_README


def test_the_readme_leads_to_every_page():
    linked = set(links(ROOT / "README.md"))
    assert [page.name for page in DOCS if f"docs/{page.name}" not in linked] == []


def test_every_scenario_is_listed():
    listed = words_of(ROOT / "docs" / "scenarios.md")
    assert [path.stem for path in (ROOT / "scenarios").glob("*.yaml") if f"`{path.stem}`" not in listed] == []


def test_every_command_is_shown():
    commands = [command.name for command in app.registered_commands]
    shown = "\n".join(block.text for block in blocks("sh")) + "".join(map(words_of, PAGES))
    assert [name for name in commands if f"python -m bench {name}" not in shown] == []


def test_the_tutorial_explains_every_status_and_no_other():
    table = words_of(ROOT / "docs" / "tutorial.md").split("| status | meaning |")[1].split("\n\n")[0]
    explained = [row.split("|")[1].strip(" `") for row in table.splitlines()[2:]]
    assert explained == list(Status)
