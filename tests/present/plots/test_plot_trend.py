"""The plot of trends: one panel per case."""

import pytest
from PIL import Image
from present.test_show_trend import CHANGED, make_series

from bench.errors import InputError
from bench.present.plots.trend import MOST_PANELS, write


def drawn(tmp_path, series):
    write(tmp_path / "plot.svg", series)
    return (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_every_case_has_a_panel(tmp_path):
    heights = []
    for count in (1, 7):
        write(tmp_path / "plot.png", [CHANGED] * count)
        with Image.open(tmp_path / "plot.png") as image:
            heights.append(image.height)
    assert heights[1] > 2 * heights[0]


def test_a_change_is_drawn_with_its_size(tmp_path):
    assert "+50.0 %" in drawn(tmp_path, [CHANGED])


def test_cases_without_room_are_counted_and_those_that_changed_are_drawn(tmp_path):
    series = [*(make_series(f"sd/{number}") for number in range(MOST_PANELS + 2)), CHANGED]
    assert write(tmp_path / "plot.svg", series) == 3
    text = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    assert "+50.0 %" in text
    assert "3 cases left out for lack of room." in text


def test_tiny_models_are_warned_of(tmp_path):
    assert "TINY MODELS" in drawn(tmp_path, [make_series(tiny=True)])


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(InputError, match="no case was measured"):
        write(tmp_path / "plot.png", [])
