"""A recommendation in words and a short table: from runs that are written by hand."""

import pytest
from analyze.make import case, ended, in_passes, make_run, measured, result

from bench.analyze.candidates import tasks
from bench.analyze.constraints import Constraints, Goal
from bench.analyze.recommend import Unmeasured, recommend
from bench.analyze.results import results
from bench.present import words
from bench.present.recommendation import gaps, lines, name, neighbors, show
from bench.records.outcomes import Tiny
from bench.units import GIB

SHAPE = {"width": 512, "height": 512, "output_type": "pil", "steps": 50, "peak_reserved_bytes": 2.0 * GIB}


def of(name, seconds, **columns):
    return measured(name, seconds, **{**SHAPE, **columns})


def found(tmp_path, records, constraints=None, name="fast", **settings):
    """Return the recommendation of a run of a baseline and another case that makes another image, both admitted."""
    constraints = constraints or Constraints(other_images=True)
    run = make_run(tmp_path, [case(), case(name, **{"scheduler": "UniPCMultistepScheduler", **settings})], records)
    return recommend(tasks(run, results(run), constraints)[0], constraints.goal)


def said(recommendation, goal=Goal.LATENCY):
    return "\n".join(lines(recommendation, goal))


def reasons(recommendation, goal=Goal.LATENCY):
    return [row[-1].text for row in neighbors(recommendation, goal).rows]


def test_a_task_is_named_by_its_settings(tmp_path):
    records = [of("baseline", 2.0, model="sd15", scheduler="DDIMScheduler")]
    assert name(found(tmp_path, records).task) == "sd15, DDIMScheduler, 50 steps, 512x512, 1 image"


def test_the_best_case_has_its_figures(tmp_path):
    records = [of("baseline", 2.0), of("fast", 1.0)]
    expected = "Use sd/fast: 1.00 s per call, x2.00 as fast as baseline, 2.00 GiB reserved on the device."
    assert said(found(tmp_path, records)).startswith(expected)


def test_another_image_by_design_is_named_beside_the_recommendation(tmp_path):
    text = said(found(tmp_path, [of("baseline", 2.0), of("fast", 1.0)]))
    assert "It makes a different image by design (scheduler), which cannot be judged automatically: look at it." in text


def test_what_cannot_be_distinguished_is_named(tmp_path):
    text = said(found(tmp_path, [of("baseline", 1.0), of("fast", 0.99)]))
    assert "This run cannot distinguish it from sd/fast. It changes the least of them" in text


def test_how_to_distinguish_cases_is_said(tmp_path):
    assert "bench run --processes 4" in said(found(tmp_path, [of("baseline", 1.0), of("fast", 0.99)]))


def test_with_passes_more_of_them_can_distinguish_more(tmp_path):
    records = [*in_passes("baseline", [1.0] * 4, **SHAPE), *in_passes("fast", [0.99, 1.01, 1.0, 1.0], **SHAPE)]
    assert "bench run --processes 8" in said(found(tmp_path, records))


def test_a_slower_neighbor_is_named_with_how_much_slower_it_is(tmp_path):
    assert reasons(found(tmp_path, [of("baseline", 1.5), of("fast", 1.0)])) == ["50% more time per call"]


def test_an_excluded_case_has_its_reason(tmp_path):
    constraints = Constraints(other_images=True, max_memory_bytes=8.0 * GIB)
    records = [of("baseline", 2.0), of("fast", 1.0, peak_reserved_bytes=9.0 * GIB)]
    assert reasons(found(tmp_path, records, constraints)) == [
        "too much memory: 9.00 GiB reserved on the device, 1.00 GiB more than allowed"
    ]


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (Goal.LATENCY, "Use sd/baseline: 1.00 s per call,"),
        (Goal.THROUGHPUT, "Use sd/baseline: 1.00 images/s, 1.00 s per call,"),
        (Goal.MEMORY, "Use sd/baseline: 1.00 s per call, 2.00 GiB reserved"),
        (Goal.ENERGY, "Use sd/baseline: 50.0 J/image, 1.00 s per call,"),
    ],
)
def test_what_is_optimized_is_among_the_first_figures(goal, expected, tmp_path):
    records = [of("baseline", 1.0, energy_per_image_j=50.0), of("fast", 9.0, energy_per_image_j=99.0)]
    assert said(found(tmp_path, records, Constraints(goal=goal, other_images=True)), goal).startswith(expected)


def test_if_nothing_was_measured_that_is_what_is_said(tmp_path):
    assert said(found(tmp_path, [ended("baseline", "oom", "full")])) == "None of its cases could be measured."


def test_what_was_not_measured_at_all_is_not_a_constraint_that_is_not_met(tmp_path):
    recommendation = found(tmp_path, [of("baseline", 2.0)], Constraints(goal=Goal.ENERGY, other_images=True))
    assert said(recommendation, Goal.ENERGY) == "No energy was measured in this run."


def test_if_all_make_another_image_the_option_that_admits_them_is_named(tmp_path):
    records = [ended("baseline", "oom", "full"), of("fast", 1.0)]
    assert "--allow-other-images includes them" in said(found(tmp_path, records, Constraints()))


def test_tiny_models_are_warned_of_first(tmp_path):
    records = [of("baseline", 2.0, size="tiny"), of("fast", 1.0, size="tiny")]
    assert next(lines(found(tmp_path, records), Goal.LATENCY)) == words.TINY_WARNINGS[Tiny.ALL]


def test_what_compiling_costs_is_said_beside_what_it_gains(tmp_path):
    records = [of("baseline", 1.54, first_call_s=7.95), of("fast", 1.10, first_call_s=55.1, compiled="unet")]
    text = said(found(tmp_path, records))
    assert "its first call takes 55.1 s, and has paid for itself against baseline after 107 images." in text


def test_a_slow_first_call_that_compiled_nothing_is_not_said_to_be_repaid(tmp_path):
    assert "paid for itself" not in said(
        found(tmp_path, [of("baseline", 2.0, first_call_s=1.0), of("fast", 1.0, first_call_s=9.0)])
    )


def test_remarks_on_the_best_case_are_said(tmp_path):
    text = said(found(tmp_path, [of("baseline", 2.0), of("fast", 1.0, remarks="never-warm")]))
    assert "Note: never warm: calls were still changing when warm-up ended." in text


def test_the_reason_is_legible_on_a_narrow_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    long = "bfloat16+cudnn_benchmark+channels_last+compile"
    show(found(tmp_path, [of("baseline", 1.0), of(long, 1.5)], name=long), Goal.LATENCY)
    text = capsys.readouterr().out
    assert "50% more time" in text
    assert "1.50 s" in text


def test_gaps_name_the_model_and_what_is_missing():
    what = Unmeasured(("compile",), ("float16",), (result("x", status="oom", reason="full"),), ("sd/y",))
    assert gaps("sd15", what) == [
        "Not measured for sd15, so nothing is said about it:",
        "  optimizations: compile",
        "  dtypes: float16",
        "  planned but not run: sd/y",
        "  sd/x: oom: full",
    ]


def test_without_gaps_nothing_is_said():
    assert gaps("sd15", Unmeasured((), (), (), ())) == []
