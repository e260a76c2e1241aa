"""A comparison as a grid for people, and as records for programs."""

import json

import pytest
from analyze.make import in_passes, make_side, measured

from bench.analyze.comparison import Compared, pair_up
from bench.present import comparison, words
from bench.present.grid import Tone
from bench.present.render import csv_text
from bench.records.outcomes import Tiny
from bench.units import GIB


def compared(tmp_path, base, *others, **options):
    sides = [make_side(tmp_path / name, found, **options) for name, found in (("old", base), *others)]
    return Compared(sides, [pair_up(sides[0], side) for side in sides[1:]])


def passes(seconds, name="baseline", **columns):
    return in_passes(name, [seconds, seconds * 1.001, seconds * 0.999], **columns)


@pytest.fixture
def slower(tmp_path):
    """A comparison in which one case became slower, and one is there on one side only."""
    new = [*passes(1.2, peak_allocated_bytes=2 * GIB), *passes(1.0, "added")]
    return compared(tmp_path, passes(1.0, peak_allocated_bytes=GIB), ("new", new))


def test_a_side_has_its_latency_the_change_the_verdict_and_its_memory(slower):
    grid = comparison.table(slower)
    texts = dict(zip(grid.header, [cell.text for cell in grid.rows[0]], strict=True))
    assert texts | {"change": ""} == {
        "case": "sd/baseline",
        "old": "1.00 s",
        "new": "1.20 s",
        "change": "",
        "verdict": "slower",
        "memory": "2.00 GiB (+1.00 GiB)",
    }


def test_slower_is_bad_news(slower):
    assert comparison.table(slower).rows[0][4].tone is Tone.BAD


def test_a_case_of_one_side_is_noted(slower):
    assert "only in new: sd/added" in comparison.table(slower).notes


def test_the_title_names_the_sides(slower):
    assert comparison.table(slower).title == "new against old"


def test_a_difference_between_the_machines_is_noted(tmp_path):
    sides = [make_side(tmp_path / name, passes(1.0), torch=torch) for name, torch in (("a", "2.9.0"), ("b", "2.10.0"))]
    grid = comparison.table(Compared(sides, [pair_up(*sides)]))
    assert grid.notes[0] == "torch: 2.9.0 -> 2.10.0"


def test_without_an_interval_it_is_said_what_one_takes(tmp_path):
    found = compared(tmp_path, [measured("baseline", 1.0)], ("new", [measured("baseline", 2.0)]))
    assert comparison.table(found).notes == ("No interval: it takes 3 processes per side; measure with --processes 4.",)


def test_the_mean_of_several_cases_is_noted(tmp_path):
    base, new = [*passes(1.0), *passes(1.0, "x")], [*passes(2.0), *passes(2.0, "x")]
    notes = comparison.table(compared(tmp_path, base, ("new", new))).notes
    assert "new: geometric mean of 2 ratios +100.0 %" in notes


def test_tiny_models_are_warned_of(tmp_path):
    found = compared(tmp_path, passes(1.0, size="tiny"), ("new", passes(1.0, size="tiny")))
    assert comparison.table(found).warning == words.TINY_WARNINGS[Tiny.ALL]


def test_a_case_that_neither_the_base_nor_a_side_has_leaves_that_sides_cells_empty(tmp_path):
    found = compared(tmp_path, passes(1.0), ("a", [*passes(1.0), *passes(1.0, "x")]), ("b", passes(1.0)))
    assert [cell.text for cell in comparison.table(found).rows[1]][6:] == [""] * 4


def test_records_have_the_figures_and_the_codes(slower):
    grid = comparison.records(slower)
    first = dict(zip(grid.header, [cell.value for cell in grid.rows[0]], strict=True))
    assert first["verdict"] == "slower"
    assert first["ratio"] == pytest.approx(1.2)
    assert first["base_memory_bytes"] == GIB


def test_what_is_unknown_is_empty_in_csv(slower):
    assert csv_text(comparison.records(slower)).splitlines()[2].startswith("sd/added,old,new,,ok,,")


def test_json_has_the_sides_their_machines_and_the_same_records(slower):
    data = json.loads(comparison.as_json(slower))
    assert data["sides"] == ["old", "new"]
    assert data["environment"] == {}
    assert [each["case"] for each in data["cases"]] == ["sd/baseline", "sd/added"]


@pytest.mark.parametrize(("width", "tables"), [(200, 1), (80, 2)])
def test_several_sides_have_tables_of_their_own_where_one_is_too_wide(tmp_path, capsys, monkeypatch, width, tables):
    monkeypatch.setenv("COLUMNS", str(width))
    comparison.show(compared(tmp_path, passes(1.0), ("a", passes(1.0)), ("b", passes(1.0))))
    assert capsys.readouterr().out.count("┡") == tables
