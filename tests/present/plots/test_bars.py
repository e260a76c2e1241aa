"""Where the texts of bars are: behind what they are about, and within the plot."""

import pytest
from analyze.make import case, ended, make_run, measured

from bench.analyze.results import results
from bench.present.plots import bars
from bench.present.plots.subject import subject

CASES = [
    case("baseline", claim={"latency_s": 5.0}),
    case("slower-than-documented", claim={"latency_s": 0.5, "approximate": True}),
    case("faster-than-documented", claim={"latency_s": 9.0, "speedup": 0.5}),
    case("oom", claim={"status": "oom"}),
]
OUTCOMES = [
    measured("baseline", 5.0),
    measured("slower-than-documented", [4.0, 4.1, 4.2, 4.0, 4.1, 4.2]),
    measured("faster-than-documented", 1.0),
    ended("oom", "oom", "a long reason " * 30),
]


@pytest.fixture
def drawn(tmp_path):
    """Return the axes and their texts with their places in the unit of the axis."""
    run = make_run(tmp_path / "run", CASES, OUTCOMES)

    def draw(kind):
        page = kind(subject(run, run.plan.scenarios[0], results(run)))
        (axes,) = page.figure.axes
        page.figure.canvas.draw()
        inverse = axes.transData.inverted()
        return axes, [(each.get_text(), each.get_window_extent().transformed(inverse)) for each in axes.texts]

    return draw


@pytest.mark.parametrize("kind", [bars.latency, bars.speedup])
def test_every_text_ends_within_the_plot(drawn, kind):
    axes, texts = drawn(kind)
    assert [text for text, place in texts if place.x1 > 1.01 * axes.get_xlim()[1]] == []


def test_a_figure_is_between_its_bar_and_the_documented_one_where_there_is_room(drawn):
    begins = {text: place.x0 for text, place in drawn(bars.latency)[1]}
    assert 1.0 < begins["1.00 s"] < 9.0


def test_a_figure_without_room_before_the_documented_one_is_behind_it(drawn):
    begins = {text: place.x0 for text, place in drawn(bars.latency)[1]}
    assert begins["5.00 s"] > 5.0


def test_a_documented_figure_is_behind_its_mark(drawn):
    begins = {text: place.x0 for text, place in drawn(bars.latency)[1]}
    assert begins["9.00 s"] > 9.0


def test_a_documented_figure_follows_the_measured_one(drawn):
    begins = {text: place.x0 for text, place in drawn(bars.latency)[1]}
    assert begins["1.00 s"] < begins["9.00 s"]


def test_nothing_is_written_over_the_level_of_the_baseline(drawn):
    begins = {text: place.x0 for text, place in drawn(bars.speedup)[1]}
    assert begins["x0.50"] > 1.0
