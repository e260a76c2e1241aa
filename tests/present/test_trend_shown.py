import csv
import io
import json

import pytest
from PIL import Image

from bench.analyze.trend import Change, Point, Series
from bench.errors import InputError
from bench.present import trend


def make_series(key="sd/baseline", *, changes=(), left_out=(), count=12):
    points = tuple(Point(f"run-{n}", f"2026-01-{n + 1:02}", 1.0 if n < 6 else 1.5, {}) for n in range(count))
    return Series(key, points, changes, left_out)


CHANGED = make_series(changes=(Change(6, 1.5, 0.002, ("torch: 2.9.0 -> 2.10.0",)),))


def test_a_change_is_told_with_its_run_its_size_and_what_changed_with_it():
    assert "+50.0 % at run-6 with torch: 2.9.0 -> 2.10.0 (p = 0.002)" in trend.as_markdown([CHANGED])


def test_a_steady_case_says_that_none_was_found():
    assert "none found" in trend.as_markdown([make_series()])


def test_a_short_series_says_what_cannot_be_found():
    assert "1 of 1 cases have under 10 runs" in trend.as_markdown([make_series(count=4)])


def test_runs_that_were_left_out_are_named():
    assert "sd/baseline: left out, of another device or other settings: old" in trend.as_markdown(
        [make_series(left_out=("old",))]
    )


def test_csv_has_a_row_a_run_and_the_change_at_the_first_of_the_new_level():
    rows = list(csv.DictReader(io.StringIO(trend.as_csv([CHANGED]))))
    assert [row["change_ratio"] for row in rows] == [""] * 6 + ["1.5"] + [""] * 5


def test_json_has_the_same_rows():
    assert json.loads(trend.as_json([CHANGED])) == trend.records([CHANGED])


def test_a_name_that_looks_like_markup_stays_text(capsys):
    trend.show([make_series("sd/[bold]x")])
    assert "sd/[bold]x" in capsys.readouterr().out


def test_the_plot_has_a_panel_a_case(tmp_path):
    few, many = (tmp_path / name for name in ("few.png", "many.png"))
    trend.plot(few, [CHANGED])
    trend.plot(many, [CHANGED] * 7)
    with Image.open(few) as one, Image.open(many) as seven:
        assert seven.height > 2 * one.height


def test_cases_without_room_are_counted_and_those_that_changed_are_drawn(tmp_path):
    assert trend.plot(tmp_path / "plot.svg", [make_series(f"sd/{n}") for n in range(32)] + [CHANGED]) == 3
    assert "+50.0 %" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_nothing_to_draw_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no case was measured"):
        trend.plot(tmp_path / "plot.png", [])


def test_toys_are_named_as_such():
    toys = Series("sd/a", CHANGED.points, (), (), tiny=True)
    assert "TINY TWINS" in trend.as_markdown([toys])
    assert "TINY TWINS" not in trend.as_markdown([CHANGED])
