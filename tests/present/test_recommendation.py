"""A recommendation in words: from runs that are written by hand."""

from dataclasses import replace

import pytest
from analyze.make import case, ended, make_folder, measured

from bench.analyze.candidates import tasks
from bench.analyze.constraints import Constraints, Goal
from bench.analyze.recommend import Unmeasured, recommend
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.present.recommendation import gaps, neighbors, show, words
from bench.units import GIB

SHAPE = {"width": 512, "height": 512, "scheduler": "DDIMScheduler", "output_type": "pil", "steps": 50}


def found(tmp_path, outcomes, constraints=None, **settings):
    """Return the recommendation of a run of a baseline and another case that makes another image, both admitted."""
    constraints = constraints or Constraints(other_images=True)
    cases = [case(), case("fast", **{"scheduler": "UniPCMultistepScheduler", **settings})]
    shaped = [({**SHAPE, **row}, samples) for row, samples in outcomes]
    run = open_run(make_folder(tmp_path, cases, shaped))
    return recommend(tasks(run, results(run), constraints)[0], constraints.goal)


def told(recommendation, goal=Goal.LATENCY):
    return "\n".join(words(recommendation, goal))


def test_the_best_case_is_told_with_its_figures(tmp_path):
    outcomes = [measured("baseline", 2.0), measured("fast", 1.0, peak_reserved_bytes=2.0 * GIB)]
    expected = "Use sd/fast: 1.00 s a call, x2.00 as fast as baseline, 2.00 GiB reserved on the device."
    assert expected in told(found(tmp_path, outcomes))


def test_another_image_by_design_is_told_beside_the_recommendation(tmp_path):
    outcomes = [measured("baseline", 2.0), measured("fast", 1.0)]
    assert "another image by design (scheduler): look at it" in told(found(tmp_path, outcomes))


def test_what_is_not_told_apart_is_named(tmp_path):
    outcomes = [measured("baseline", 1.0), measured("fast", 0.99)]
    assert "does not tell it apart from sd/fast;" in told(found(tmp_path, outcomes))


def test_how_to_tell_cases_apart_is_told(tmp_path):
    outcomes = [measured("baseline", 1.0), measured("fast", 0.99)]
    assert "bench run --processes 4" in told(found(tmp_path, outcomes))


def test_with_rounds_more_of_them_are_what_tells_cases_apart(tmp_path):
    outcomes = [
        measured(name, latency, process=number)
        for name, latency in (("baseline", 1.0), ("fast", 0.99))
        for number in range(4)
    ]
    assert "bench run --processes 8" in told(found(tmp_path, outcomes))


def test_a_slower_neighbor_is_told_by_how_much(tmp_path):
    outcomes = [measured("baseline", 1.5), measured("fast", 1.0)]
    assert [row[-1] for row in neighbors(found(tmp_path, outcomes), Goal.LATENCY)] == ["50% more time a call"]


def test_a_case_over_the_memory_is_told_with_both_figures(tmp_path):
    constraints = Constraints(other_images=True, max_memory_bytes=8.0 * GIB)
    outcomes = [
        measured("baseline", 2.0, peak_reserved_bytes=7.0 * GIB),
        measured("fast", 1.0, peak_reserved_bytes=9.1 * GIB),
    ]
    rows = list(neighbors(found(tmp_path, outcomes, constraints), Goal.LATENCY))
    assert [row[-1] for row in rows] == [
        "too much memory: 9.10 GiB reserved on the device, 1.10 GiB over what is allowed"
    ]


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (Goal.LATENCY, "1.00 s a call"),
        (Goal.THROUGHPUT, "1.00 images/s"),
        (Goal.MEMORY, "2.00 GiB reserved on the device"),
        (Goal.ENERGY, "50.0 J/image"),
    ],
)
def test_what_is_optimized_is_told_first_or_plainly(goal, expected, tmp_path):
    facts = {"peak_reserved_bytes": 2.0 * GIB, "energy_per_image_j": 50.0}
    outcomes = [measured("baseline", 1.0, **facts), measured("fast", 9.0, **{**facts, "energy_per_image_j": 99.0})]
    assert expected in told(found(tmp_path, outcomes, Constraints(goal=goal, other_images=True)), goal)


def test_where_nothing_was_measured_that_is_what_is_said(tmp_path):
    assert "No case of it was measured." in told(found(tmp_path, [ended("baseline", "oom", "full")]))


def test_what_was_not_measured_at_all_is_no_constraint_that_is_not_met(tmp_path):
    outcomes = [measured("baseline", 2.0), measured("fast", 1.0)]
    recommendation = found(tmp_path, outcomes, Constraints(goal=Goal.ENERGY, other_images=True))
    assert "No energy was measured in this run." in told(recommendation, Goal.ENERGY)


def test_where_all_make_another_image_the_option_that_admits_them_is_named(tmp_path):
    outcomes = [ended("baseline", "oom", "full"), measured("fast", 1.0)]
    assert "--allow-other-images admits them" in told(found(tmp_path, outcomes, Constraints()))


def test_the_reason_is_legible_on_a_narrow_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    outcomes = [measured("baseline", 1.5, peak_reserved_bytes=7.0 * GIB), measured("fast", 1.0)]
    recommendation = found(tmp_path, outcomes)
    (slow,) = recommendation.others
    long = replace(slow, case=replace(slow.case, name="bfloat16+cudnn_benchmark+channels_last+compile"))
    show(replace(recommendation, others=(long,)), Goal.LATENCY)
    shown = capsys.readouterr().out
    assert "why not" in shown
    assert "50% more time a call" in shown
    assert "1.50 s" in shown


def test_gaps_name_the_model(tmp_path):
    what = Unmeasured(("compile",), (), ("sd/x: oom: full",), ())
    assert gaps("sd15", what) == [
        "Not measured of sd15, so nothing is said of it:",
        "  optimizations: compile",
        "  sd/x: oom: full",
    ]


def test_without_gaps_nothing_is_said():
    assert gaps("sd15", Unmeasured((), (), (), ())) == []
