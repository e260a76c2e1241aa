"""Trends as a grid for people, and as records for programs."""

import json

import pytest

from bench.analyze.comparison import Difference
from bench.analyze.trend import Change, Point, Series
from bench.present import trend, words
from bench.present.render import objects
from bench.records.case_result import Versions
from bench.records.outcomes import Tiny


def make_series(key="sd/baseline", *, changes=(), left_out=(), count=12, tiny=False):
    points = tuple(Point(f"run-{n}", f"2026-01-{n + 1:02}", 1.0 if n < 6 else 1.5, Versions()) for n in range(count))
    return Series(key, points, changes, left_out, tiny)


CHANGED = make_series(changes=(Change(6, 1.5, 0.002, 0.3, (Difference("torch", "2.9.0", "2.10.0"),)),))


def row(series):
    grid = trend.table([series])
    return dict(zip(grid.header, [cell.text for cell in grid.rows[0]], strict=True))


def test_a_change_has_its_size_its_run_and_what_changed_with_it():
    assert row(CHANGED)["changes"] == "+50.0 % at run-6 with torch: 2.9.0 -> 2.10.0 (p = 0.002, autocorrelation +0.30)"


def test_a_case_without_a_change_says_so():
    assert row(make_series())["changes"] == "none found"


def test_the_first_and_the_last_run_have_their_latencies():
    assert [row(CHANGED)[name] for name in ("runs", "first", "last")] == ["12", "1.00 s", "1.50 s"]


def test_a_short_series_says_what_cannot_be_found():
    notes = trend.table([make_series(count=4)]).notes
    assert notes[1] == "A change in the middle of fewer than 10 runs cannot be found: 1 of 1 case."


def test_runs_that_were_left_out_are_named():
    notes = trend.table([make_series(left_out=("old",))]).notes
    assert notes[-1] == "sd/baseline: left out, because of a different device or different settings: old"


def test_a_change_is_in_the_record_of_the_first_run_of_the_new_level():
    changes = [record["change_ratio"] for record in objects(trend.records([CHANGED]))]
    assert changes == [None] * 6 + [1.5] + [None] * 5


def test_json_has_the_same_records():
    assert json.loads(trend.as_json([CHANGED])) == objects(trend.records([CHANGED]))


@pytest.mark.parametrize(("tiny", "warning"), [(True, words.TINY_WARNINGS[Tiny.ALL]), (False, "")])
def test_tiny_models_are_warned_of(tiny, warning):
    assert trend.table([make_series(tiny=tiny)]).warning == warning
