"""Which case is recommended, from runs that are written by hand: real files, real pictures, no model."""

import numpy as np
import pytest
from analyze.make import case, ended, make_folder, measured
from PIL import Image

from bench.analyze.candidates import tasks
from bench.analyze.constraints import Constraints, Goal
from bench.analyze.recommend import recommend, unmeasured
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.errors import InputError
from bench.units import GIB

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
SHAPE = {"width": 512, "height": 512, "scheduler": "DDIMScheduler", "output_type": "pil", "steps": 50}
CALL = {"prompt": "a cat"}


def unlike(amplitude):
    noise = np.random.default_rng(1).integers(-amplitude, amplitude + 1, PIXELS.shape)
    return np.clip(PIXELS.astype(int) + noise, 0, 255).astype(np.uint8)


def found(tmp_path, cases, outcomes, constraints=None, pictures=None):
    """Return the recommendation of each task; every case has the same picture where `pictures` gives no other."""
    constraints = constraints or Constraints()
    cases = [case(call=CALL), *cases]
    shaped = [({**SHAPE, **row}, samples) for row, samples in outcomes]
    folder = make_folder(tmp_path / "run", cases, shaped)
    (folder / "images" / "sd").mkdir(parents=True)
    for each in cases:
        Image.fromarray((pictures or {}).get(each.name, PIXELS)).save(folder / "images" / "sd" / f"{each.name}-0.png")
    run = open_run(folder)
    return [recommend(task, constraints.goal) for task in tasks(run, results(run), constraints)]


def only(*arguments, **options):
    (one,) = found(*arguments, **options)
    return one


def fp16(**settings):
    return case("fp16", dtype="float16", **{"call": CALL, **settings})


def names(candidates):
    return [candidate.case.name for candidate in candidates]


def why(recommendation, name):
    return next(c.exclusion_reason for c in recommendation.task.candidates if c.case.name == name)


def test_the_fastest_case_is_recommended(tmp_path):
    told = only(tmp_path, [fp16()], [measured("baseline", 2.0), measured("fp16", 1.0)])
    assert (told.best.case.name, names(told.others)) == ("fp16", ["baseline"])


def test_a_case_whose_picture_differs_is_not_recommended(tmp_path):
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.0)]
    told = only(tmp_path, [fp16()], outcomes, pictures={"fp16": unlike(60)})
    assert told.best.case.name == "baseline"
    assert why(told, "fp16").startswith("the image differs: ")


def test_a_stricter_likeness_can_be_asked_for(tmp_path):
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.0)]
    pictures = {"fp16": unlike(4)}
    assert only(tmp_path / "a", [fp16()], outcomes, pictures=pictures).best.case.name == "fp16"
    strict = only(tmp_path / "b", [fp16()], outcomes, Constraints(min_psnr_db=60), pictures)
    assert strict.best.case.name == "baseline"


@pytest.mark.parametrize("decibels", [29.9, float("nan")])
def test_less_than_thirty_decibels_cannot_be_asked_for(decibels):
    with pytest.raises(InputError, match="--min-psnr"):
        Constraints(min_psnr_db=decibels)


def test_a_picture_that_is_not_there_vouches_for_nothing(tmp_path):
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.0)]
    told = only(tmp_path, [fp16()], outcomes, pictures={"fp16": PIXELS[:8]})
    assert (told.best.case.name, why(told, "fp16")) == (
        "baseline",
        "its pictures cannot be compared with the reference's",
    )


def test_another_image_by_design_is_named_and_left_out(tmp_path):
    cases = [case("fast", scheduler="UniPCMultistepScheduler", call=CALL)]
    told = only(tmp_path, cases, [measured("baseline", 2.0), measured("fast", 1.0)])
    assert (told.best.case.name, why(told, "fast")) == ("baseline", "another image by design (scheduler)")


def test_another_image_by_design_can_be_admitted(tmp_path):
    cases = [case("fast", scheduler="UniPCMultistepScheduler", call=CALL)]
    outcomes = [measured("baseline", 2.0), measured("fast", 1.0)]
    assert only(tmp_path, cases, outcomes, Constraints(other_images=True)).best.case.name == "fast"


def test_a_case_over_the_memory_is_excluded_by_how_much(tmp_path):
    outcomes = [
        measured("baseline", 2.0, peak_allocated_bytes=6.0 * GIB, peak_reserved_bytes=7.0 * GIB),
        measured("fp16", 1.0, peak_allocated_bytes=7.5 * GIB, peak_reserved_bytes=9.0 * GIB),
    ]
    told = only(tmp_path, [fp16()], outcomes, Constraints(max_memory_bytes=8.0 * GIB))
    assert (told.best.case.name, [c.too_big for c in told.excluded]) == ("baseline", [1.0 * GIB])


def test_the_highest_phase_is_what_must_fit(tmp_path):
    outcomes = [
        measured("baseline", 2.0, peak_reserved_bytes=1.0 * GIB),
        measured("fp16", 1.0, peak_reserved_bytes=1.0 * GIB, load_peak_reserved_bytes=9.0 * GIB),
    ]
    told = only(tmp_path, [fp16()], outcomes, Constraints(max_memory_bytes=8.0 * GIB))
    assert told.best.case.name == "baseline"


def test_memory_is_of_the_kind_that_is_known(tmp_path):
    outcomes = [measured("baseline", 2.0, peak_rss_growth_bytes=1.0 * GIB)]
    best = only(tmp_path, [], outcomes, Constraints(goal=Goal.MEMORY)).best
    assert (best.memory_kind, best.cost) == ("rss_growth", 1.0 * GIB)


def test_an_unknown_memory_meets_no_limit(tmp_path):
    told = only(tmp_path, [], [measured("baseline", 2.0)], Constraints(max_memory_bytes=8.0 * GIB))
    assert (told.best, why(told, "baseline")) == (None, "its peak memory is not known")


@pytest.mark.parametrize("status", ["unstable", "oom", "failed", "timeout"])
def test_a_case_that_is_not_ok_is_not_recommended(status, tmp_path):
    row, samples = measured("fp16", 1.0)
    outcomes = [measured("baseline", 2.0), ({**row, "status": status, "reason": "why"}, samples)]
    told = only(tmp_path, [fp16()], outcomes)
    assert (told.best.case.name, why(told, "fp16")) == ("baseline", f"{status}: why")


def test_of_cases_that_are_not_told_apart_the_one_that_changes_least_is_recommended(tmp_path):
    cases = [case("sliced", optimizations=("vae_slicing",), call=CALL)]
    told = only(tmp_path, cases, [measured("baseline", 1.02), measured("sliced", 1.0)])
    assert (told.best.case.name, names(told.ties)) == ("baseline", ["sliced"])


def rounds(name, latencies):
    return [measured(name, latency, process=number) for number, latency in enumerate(latencies)]


def test_intervals_between_processes_tell_apart_what_one_process_does_not(tmp_path):
    cases = [case("sliced", optimizations=("vae_slicing",), call=CALL)]
    outcomes = rounds("baseline", [1.020, 1.021, 1.020, 1.019]) + rounds("sliced", [1.0, 1.001, 1.0, 0.999])
    told = only(tmp_path, cases, outcomes)
    assert (told.best.case.name, names(told.others)) == ("sliced", ["baseline"])


def test_overlapping_intervals_between_processes_tell_nothing_apart(tmp_path):
    cases = [case("sliced", optimizations=("vae_slicing",), call=CALL)]
    outcomes = rounds("baseline", [1.3, 0.9, 1.2, 1.0]) + rounds("sliced", [1.0, 1.2, 0.8, 0.9])
    assert only(tmp_path, cases, outcomes).best.case.name == "baseline"


def test_rounds_are_compared_in_pairs_so_that_a_machine_that_slows_down_hides_no_gain(tmp_path):
    cases = [case("sliced", optimizations=("vae_slicing",), call=CALL)]
    drift = [1.0, 1.2, 1.5, 1.9]
    outcomes = rounds("baseline", [1.1 * x for x in drift]) + rounds("sliced", drift)
    told = only(tmp_path, cases, outcomes)
    assert (told.best.case.name, names(told.others)) == ("sliced", ["baseline"])


def test_under_four_rounds_there_are_no_pairs(tmp_path):
    cases = [case("sliced", optimizations=("vae_slicing",), call=CALL)]
    outcomes = rounds("baseline", [1.04, 1.14]) + rounds("sliced", [1.0, 1.1])
    assert only(tmp_path, cases, outcomes).best.case.name == "baseline"


def test_latents_that_are_not_decoded_are_no_alternative_to_pictures(tmp_path):
    cases = [case("latents", call={**CALL, "output_type": "latent"})]
    outcomes = [measured("baseline", 2.0), measured("latents", 1.0, output_type="latent")]
    told = only(tmp_path, cases, outcomes)
    assert (told.best.case.name, why(told, "latents")) == ("baseline", "other work (output_type latent, not pil)")


def test_a_batch_counts_for_throughput_where_it_is_admitted(tmp_path):
    cases = [case("batch", call={**CALL, "num_images_per_prompt": 4}, seed=(0, 1, 2, 3))]
    outcomes = [measured("baseline", 2.0), measured("batch", 4.0, images=4)]
    constraints = Constraints(goal=Goal.THROUGHPUT, other_images=True)
    assert only(tmp_path, cases, outcomes, constraints).best.case.name == "batch"


@pytest.mark.parametrize(("first", "best"), [(PIXELS, "batch"), (unlike(60), "baseline")])
def test_a_batch_counts_for_throughput_if_its_first_picture_is_the_single_calls(tmp_path, first, best):
    cases = [case("batch", call={**CALL, "num_images_per_prompt": 4}, seed=(0, 1, 2, 3))]
    outcomes = [measured("baseline", 2.0), measured("batch", 4.0, images=4)]
    told = only(tmp_path, cases, outcomes, Constraints(goal=Goal.THROUGHPUT), {"batch": first})
    assert told.best.case.name == best


def test_a_batch_is_no_candidate_for_latency(tmp_path):
    cases = [case("batch", call={**CALL, "num_images_per_prompt": 4}, seed=(0, 1, 2, 3))]
    told = only(tmp_path, cases, [measured("baseline", 2.0), measured("batch", 1.0, images=4)])
    assert told.best.case.name == "baseline"


def test_the_least_energy_is_recommended(tmp_path):
    outcomes = [measured("baseline", 1.0, energy_per_image_j=90.0), measured("fp16", 2.0, energy_per_image_j=50.0)]
    assert only(tmp_path, [fp16()], outcomes, Constraints(goal=Goal.ENERGY)).best.case.name == "fp16"


def test_without_energy_nothing_is_recommended_for_it(tmp_path):
    told = only(tmp_path, [], [measured("baseline", 1.0)], Constraints(goal=Goal.ENERGY))
    assert (told.best, why(told, "baseline")) == (None, "no energy was measured")


def test_peaks_that_an_allocator_rounds_are_not_told_apart(tmp_path):
    cases = [case("sliced", optimizations=("vae_slicing",), call=CALL)]
    outcomes = [
        measured("baseline", 1.0, peak_reserved_bytes=1.001 * GIB),
        measured("sliced", 1.0, peak_reserved_bytes=1.0 * GIB),
    ]
    assert only(tmp_path, cases, outcomes, Constraints(goal=Goal.MEMORY)).best.case.name == "baseline"


def test_where_the_baseline_did_not_fit_another_case_is_the_reference(tmp_path):
    cases = [fp16(), case("tiled", dtype="float16", optimizations=("vae_tiling",), call=CALL)]
    outcomes = [ended("baseline", "oom", "full"), measured("fp16", 2.0), measured("tiled", 1.0)]
    told = only(tmp_path, cases, outcomes)
    assert (told.task.reference.name, told.best.case.name) == ("fp16", "tiled")


def test_where_no_baseline_was_measured_the_reference_makes_the_image_that_it_was_to_make(tmp_path):
    cases = [case("fast", scheduler="UniPCMultistepScheduler", call=CALL), fp16()]
    outcomes = [ended("baseline", "failed", "why"), measured("fast", 1.0), measured("fp16", 2.0)]
    told = only(tmp_path, cases, outcomes)
    assert (told.task.reference.name, told.best.case.name) == ("fp16", "fp16")


def test_where_only_other_images_were_measured_none_is_recommended(tmp_path):
    cases = [case("fast", scheduler="UniPCMultistepScheduler", call=CALL)]
    outcomes = [ended("baseline", "oom", "full"), measured("fast", 1.0)]
    told = only(tmp_path / "a", cases, outcomes)
    assert (told.best, why(told, "fast")) == (None, "another image by design (scheduler)")
    assert only(tmp_path / "b", cases, outcomes, Constraints(other_images=True)).best.case.name == "fast"


def test_a_likeness_just_under_the_least_is_not_rounded_up_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.analyze.similarity._psnr", lambda *_: 29.96)
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.0)]
    told = only(tmp_path, [fp16()], outcomes, pictures={"fp16": unlike(4)})
    assert why(told, "fp16") == "the image differs: 29.9 dB < 30 dB"


def test_cases_of_baselines_that_make_other_images_are_tasks_of_their_own(tmp_path):
    cases = [case("large", baseline="large", call={**CALL, "height": 1024})]
    told = found(tmp_path, cases, [measured("baseline", 2.0), measured("large", 9.0, height=1024)])
    assert [each.best.case.name for each in told] == ["baseline", "large"]


def test_cases_of_baselines_that_make_the_same_image_are_one_task(tmp_path):
    cases = [fp16(), case("half", baseline="half", dtype="float16", optimizations=("fuse_qkv",), call=CALL)]
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.5), measured("half", 1.0)]
    told = only(tmp_path, cases, outcomes)
    assert (told.best.case.name, told.task.reference.name) == ("half", "baseline")


def test_a_case_of_another_baseline_is_held_against_the_reference(tmp_path):
    cases = [fp16(), case("half", baseline="half", dtype="float16", optimizations=("fuse_qkv",), call=CALL)]
    outcomes = [measured("baseline", 2.0), measured("fp16", 1.5), measured("half", 1.0)]
    told = only(tmp_path, cases, outcomes, pictures={"half": unlike(60)})
    assert told.best.case.name == "fp16"


def test_what_was_not_measured_is_told(tmp_path):
    cases = [case(), case("x", optimizations=("xformers",)), case("late", dtype="float16"), case("s", dtype="bfloat16")]
    outcomes = [measured("baseline", 2.0), ended("x", "skipped", "not installed"), measured("s", 1.0)]
    run = open_run(make_folder(tmp_path / "run", cases, outcomes))
    told = unmeasured(run, results(run), "stable-diffusion-v1-5", ["xformers", "compile"])
    assert (told.optimizations, told.dtypes) == (("compile",), ("float16",))
    assert (told.without_figures, told.not_run) == (("sd/x: skipped: not installed",), ("sd/late",))
