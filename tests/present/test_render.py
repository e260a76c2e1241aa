"""Every renderer draws the same grid, and on a narrow terminal no figure is cut."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from bench.present import render
from bench.present.grid import ALWAYS, Cell, Column, Grid, Tone, records

LONG = "EulerAncestralDiscreteScheduler-25-float16+channels_last+vae_sl"
FIGURES = ["1.23 s", "x1.50 [1.48, 1.52]", "5.10 GiB"]
WIDTHS = [40, 60, 72, 80, 120]


def grid(names=("baseline", LONG), **options):
    columns = (
        Column("setup", left=True, wraps=True, keep=ALWAYS),
        Column("latency", keep=ALWAYS),
        Column("speed-up", keep=3),
        Column("peak memory", keep=2),
        Column("verdict", left=True, wraps=True, keep=1),
        Column("steps"),
        Column("notes", left=True, below=True),
    )
    texts = [*FIGURES, "gains more than documented", "50", "host-bound"]
    rows = tuple((Cell(name, tag="tiny"), *map(Cell, texts)) for name in names)
    return Grid("A title", columns, rows, **options)


@pytest.fixture
def shown(capsys, monkeypatch):
    """Print a grid at a width and return what was printed."""

    def show(grid, width=None):
        if width is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(width))
        render.show(grid, "tables.md has everything")
        return capsys.readouterr().out

    return show


def first_column(text):
    """Return what is in the first column of a printed table, without spaces and line ends."""
    lines = [re.split("[│┃]", line) for line in text.splitlines() if line[:1] in {"│", "┃"}]
    return "".join("".join(line[1].split()) for line in lines)


def columns(text):
    """Return which of the columns that may be left out are there."""
    head = text.partition("┡")[0]
    return [name for name in ("speed-up", "memory", "verdict") if name in head]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal(shown, width):
    assert max(map(len, shown(grid(), width).splitlines())) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_figure_is_whole_or_its_column_is_left_out_aloud(shown, width):
    text = shown(grid(), width)
    left_out = " ".join(text.split()).partition("Left out, because the terminal is too narrow:")[2]
    heads = dict(zip(["latency", "speed-up", "peak memory"], FIGURES, strict=True))
    assert [head for head, figure in heads.items() if figure not in text and head not in left_out] == []


def test_columns_of_one_name_are_left_out_under_it_once(shown):
    columns = (Column("case", keep=ALWAYS), Column("run", keep=1), Column("run", keep=1))
    text = shown(Grid("", columns, ((Cell("a" * 30), Cell("1.23 s"), Cell("1.25 s")),)), 32)
    assert "too narrow: run; tables.md" in " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_the_latency_is_on_every_terminal(shown, width):
    assert FIGURES[0] in shown(grid(), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_name_is_wrapped_and_complete(shown, width):
    assert f"{LONG}(tiny)" in first_column(shown(grid(), width))


def test_the_least_important_columns_are_left_out_first(shown):
    assert [columns(shown(grid(), width)) for width in (40, 60, 80)] == [
        [],
        ["speed-up", "memory"],
        ["speed-up", "memory", "verdict"],
    ]


def test_a_name_is_broken_at_its_joints(shown):
    assert "Scheduler-25-" in shown(grid(), 60)


def test_a_pipe_gets_every_column_on_one_line(shown):
    (line,) = [line for line in shown(grid()).splitlines() if line.startswith(f"│ {LONG}")]
    assert [figure for figure in FIGURES if figure not in line] == []


def test_a_column_of_files_is_on_no_terminal(shown):
    assert "steps" not in shown(grid())


def test_texts_below_the_table_name_the_rows_that_have_them(shown):
    assert f"baseline, {LONG}: host-bound" in shown(grid())


def test_warning_and_notes_are_below_the_table(shown):
    assert shown(grid(warning="Careful.", notes=("A note.",))).splitlines()[-3:-1] == ["Careful.", "A note."]


def test_a_pipe_gets_every_row(shown):
    assert shown(grid(names=[f"case-{n}" for n in range(300)])).count("│ case-") == 300


def test_a_terminal_gets_the_first_rows_and_is_told_where_the_rest_is(shown, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = shown(grid(names=[f"case-{n}" for n in range(300)]), 120)
    assert text.count("│ case-") == render.MOST_ROWS
    assert "These are the first 100 of 300 rows; tables.md has everything." in text


def test_a_tone_is_a_color_on_a_terminal(shown, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    rows = ((Cell("x", tone=Tone.BAD),),)
    assert "\x1b[31mx" in shown(Grid("", (Column("a", keep=ALWAYS),), rows), 80)


def test_markup_in_a_text_is_printed_as_it_is(shown):
    assert "[bold]x[/bold]" in shown(grid(names=["[bold]x[/bold]"]))


@pytest.mark.parametrize(("width", "expected"), [(200, True), (60, False)])
def test_a_grid_fits_if_no_column_is_left_out(monkeypatch, width, expected):
    monkeypatch.setenv("COLUMNS", str(width))
    assert render.fits(grid()) is expected


def test_markdown_has_every_column_with_its_alignment():
    head, rule, *rows = render.markdown(grid()).splitlines()
    assert head == "| setup | latency | speed-up | peak memory | verdict | steps | notes |"
    assert rule == "| --- | ---: | ---: | ---: | --- | ---: | --- |"
    assert rows[0].startswith("| baseline (tiny) | 1.23 s |")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a | b", r"a \| b"), ("<b>", "&lt;b>"), ("two\r\n\tlines", "two lines"), (r"C:\x\|", r"C:\\x\\\|")],
)
def test_what_markdown_takes_for_markup_is_escaped(text, escaped):
    assert render.escaped(text) == escaped


def test_a_document_has_its_title_first_and_its_notes_last():
    text = render.document(grid(notes=("A note.",), details=("A detail.",)))
    assert text.splitlines()[0] == "# A title"
    assert text.splitlines()[-2:] == ["- A note.", "- A detail."]


RECORDS = records(["name", "seconds", "unknown"], [("a,b", 1 / 3, None)])


def test_csv_has_full_precision_and_quotes():
    assert list(csv.reader(io.StringIO(render.csv_text(RECORDS)))) == [
        ["name", "seconds", "unknown"],
        ["a,b", "0.3333333333333333", ""],
    ]


def test_json_has_the_values_and_null_for_what_is_unknown():
    data = json.loads(render.json_text(render.objects(RECORDS)))
    assert data == [{"name": "a,b", "seconds": 1 / 3, "unknown": None}]


HOSTILE = "\x1b[31m\x9b1m\u202e::error title=x::no\n::error::no"


def printed(text):
    """Return whether a terminal or a CI runner would obey a text."""
    return all(line.isprintable() and not line.strip().startswith("::") for line in text.split("\n"))


@pytest.mark.parametrize("width", [60, None])
def test_what_is_printed_commands_neither_a_terminal_nor_a_runner(shown, width):
    text = shown(replace(grid(names=(HOSTILE,), notes=(HOSTILE,), warning=HOSTILE), title=HOSTILE), width)
    assert printed(text)
    assert "error" in text


@pytest.mark.parametrize(
    "text",
    ["![i](https://a.example/x.png)", "[l](https://a.example)", "https://a.example", "www.a.example", "<b>", "`x`"],
)
def test_markdown_has_neither_links_nor_images_of_strangers(text):
    escaped = render.escaped(f"see {text}")
    assert not re.search(r"(?<!\\)[\[`<]|://|www\.", escaped)


def test_markdown_is_one_line_without_controls():
    assert render.escaped(HOSTILE).isprintable()


@pytest.mark.parametrize("text", ["=1+1", "@SUM(1)", "+1", "-1+cmd|' /C calc'!A0"])
def test_a_cell_of_csv_is_no_formula(text):
    written = render.csv_text(Grid("title", (Column("setup", left=True),), ((Cell(text),),)))
    (_, (cell,)) = csv.reader(io.StringIO(written))
    assert cell == f"'{text}"


@pytest.mark.parametrize(
    "command", ["##[error]forged", "##vso[task.setvariable]x", "  ::error::forged", "::add-mask::x"]
)
def test_no_cell_of_a_csv_is_a_workflow_command(command):
    written = render.csv_text(Grid("title", (Column("setup", left=True),), ((Cell(command),),)))
    assert not re.search(r"##\w*\[|^\s*::", written, re.MULTILINE)


def test_no_text_in_json_is_a_workflow_command():
    assert "##" not in render.json_text({"note": "##[error]forged"})


def test_json_gives_every_text_back():
    assert json.loads(render.json_text({"a ## b": "##[error]###"})) == {"a ## b": "##[error]###"}
