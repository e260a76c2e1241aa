"""Which case is recommended, from runs that are written by hand: real files, real pictures, no model."""

from dataclasses import replace

import numpy as np
import pytest
from analyze.make import case, ended, in_passes, make_folder, measured
from PIL import Image

from bench.analyze.candidates import ExclusionKind, ExclusionReason, tasks
from bench.analyze.comparison import Difference
from bench.analyze.constraints import Constraints, Goal
from bench.analyze.recommend import recommend, unmeasured
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.errors import InputError
from bench.records.outcomes import RemarkKind
from bench.units import GIB

GRAY = np.full((256, 256, 3), 128, np.uint8)
HOLE = GRAY.copy()
HOLE[100:115, 100:115] = 0  # 30.6 dB in all
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
SHAPE = {"width": 512, "height": 512, "scheduler": "DDIMScheduler", "output_type": "pil", "steps": 50}
CALL = {"prompt": "a cat"}
OTHER_SCHEDULER = "UniPCMultistepScheduler"


def unlike(amplitude):
    noise = np.random.default_rng(1).integers(-amplitude, amplitude + 1, PIXELS.shape)
    return np.clip(PIXELS.astype(int) + noise, 0, 255).astype(np.uint8)


def recommendations(tmp_path, cases, records, constraints=None, pictures=None):
    """Return the recommendation for each task; every case has the same picture unless `pictures` has another."""
    constraints = constraints or Constraints()
    cases = [case(call=CALL), *cases]
    shaped = [replace(each, settings=replace(each.settings, **_unset(each.settings))) for each in records]
    folder = make_folder(tmp_path / "run", cases, shaped)
    (folder / "images" / "sd").mkdir(parents=True)
    for each in cases:
        Image.fromarray((pictures or {}).get(each.name, PIXELS)).save(folder / "images" / "sd" / f"{each.name}-0.png")
    run = open_run(folder)
    return [recommend(task, constraints.goal) for task in tasks(run, results(run), constraints)]


def _unset(settings):
    return {name: value for name, value in SHAPE.items() if getattr(settings, name) is None}


def only(*arguments, **options):
    (one,) = recommendations(*arguments, **options)
    return one


def fp16(**settings):
    return case("fp16", dtype="float16", **{"call": CALL, **settings})


def sliced():
    return case("sliced", optimizations=("vae_slicing",), call=CALL)


def names(candidates):
    return [candidate.case.name for candidate in candidates]


def why(recommendation, name):
    return next(c.exclusion_reason for c in recommendation.task.candidates if c.case.name == name)


def test_the_fastest_case_is_recommended(tmp_path):
    assert only(tmp_path, [fp16()], [measured("baseline", 2.0), measured("fp16", 1.0)]).best.case.name == "fp16"


def test_what_is_worse_is_listed(tmp_path):
    found = only(tmp_path, [fp16()], [measured("baseline", 2.0), measured("fp16", 1.0)])
    assert names(found.others) == ["baseline"]


def test_a_case_whose_picture_differs_is_not_recommended(tmp_path):
    records = [measured("baseline", 2.0), measured("fp16", 1.0)]
    found = only(tmp_path, [fp16()], records, pictures={"fp16": unlike(60)})
    assert found.best.case.name == "baseline"
    assert why(found, "fp16") == ExclusionReason(ExclusionKind.IMAGE_DIFFERS, limit=30.0)


@pytest.mark.parametrize(("least", "best"), [(30.0, "fp16"), (60.0, "baseline")])
def test_a_stricter_similarity_can_be_asked_for(tmp_path, least, best):
    records = [measured("baseline", 2.0), measured("fp16", 1.0)]
    found = only(tmp_path, [fp16()], records, Constraints(min_psnr_db=least), {"fp16": unlike(4)})
    assert found.best.case.name == best


def test_a_case_of_whose_picture_only_a_part_differs_is_not_recommended(tmp_path):
    records = [measured("baseline", 2.0), measured("fp16", 1.0)]
    found = only(tmp_path, [fp16()], records, Constraints(min_psnr_db=30.0), {"baseline": GRAY, "fp16": HOLE})
    assert found.best.case.name == "baseline"
    assert why(found, "fp16").kind is ExclusionKind.PART_DIFFERS
    assert why(found, "fp16").remark.kind is RemarkKind.REGION_DIFFERS


@pytest.mark.parametrize("decibels", [29.9, float("nan")])
def test_less_than_thirty_decibels_cannot_be_asked_for(decibels):
    with pytest.raises(InputError, match="--min-psnr"):
        Constraints(min_psnr_db=decibels)


def test_a_picture_that_cannot_be_compared_vouches_for_nothing(tmp_path):
    records = [measured("baseline", 2.0), measured("fp16", 1.0)]
    found = only(tmp_path, [fp16()], records, pictures={"fp16": PIXELS[:8]})
    assert found.best.case.name == "baseline"
    assert why(found, "fp16") == ExclusionReason(ExclusionKind.NO_PICTURES)


@pytest.mark.parametrize(("admitted", "best"), [(False, "baseline"), (True, "fast")])
def test_another_image_by_design_is_recommended_only_if_it_is_admitted(tmp_path, admitted, best):
    cases = [case("fast", scheduler=OTHER_SCHEDULER, call=CALL)]
    records = [measured("baseline", 2.0), measured("fast", 1.0)]
    assert only(tmp_path, cases, records, Constraints(other_images=admitted)).best.case.name == best


def test_another_image_by_design_names_what_changes_it(tmp_path):
    cases = [case("fast", scheduler=OTHER_SCHEDULER, call=CALL)]
    (excluded,) = only(tmp_path, cases, [measured("baseline", 2.0), measured("fast", 1.0)]).excluded
    assert excluded.exclusion_reason == ExclusionReason(ExclusionKind.ANOTHER_IMAGE)
    assert excluded.design == ("scheduler",)


def test_a_case_that_takes_too_much_memory_is_excluded(tmp_path):
    records = [
        measured("baseline", 2.0, peak_allocated_bytes=6.0 * GIB, peak_reserved_bytes=7.0 * GIB),
        measured("fp16", 1.0, peak_allocated_bytes=7.5 * GIB, peak_reserved_bytes=9.0 * GIB),
    ]
    (excluded,) = only(tmp_path, [fp16()], records, Constraints(max_memory_bytes=8.0 * GIB)).excluded
    assert excluded.exclusion_reason == ExclusionReason(ExclusionKind.TOO_MUCH_MEMORY, limit=8.0 * GIB)
    assert excluded.excess_bytes == 1.0 * GIB


def test_the_highest_phase_is_what_must_fit(tmp_path):
    records = [
        measured("baseline", 2.0, peak_reserved_bytes=1.0 * GIB),
        measured("fp16", 1.0, peak_reserved_bytes=1.0 * GIB, load_peak_reserved_bytes=9.0 * GIB),
    ]
    found = only(tmp_path, [fp16()], records, Constraints(max_memory_bytes=8.0 * GIB))
    assert found.best.case.name == "baseline"


def test_memory_is_of_the_kind_that_is_known(tmp_path):
    records = [measured("baseline", 2.0, peak_rss_growth_bytes=1.0 * GIB)]
    best = only(tmp_path, [], records, Constraints(goal=Goal.MEMORY)).best
    assert best.memory_kind == "rss_growth_bytes"
    assert best.cost == 1.0 * GIB


def test_an_unknown_memory_meets_no_limit(tmp_path):
    found = only(tmp_path, [], [measured("baseline", 2.0)], Constraints(max_memory_bytes=8.0 * GIB))
    assert found.best is None
    assert why(found, "baseline") == ExclusionReason(ExclusionKind.MEMORY_UNKNOWN)


@pytest.mark.parametrize("status", ["unstable", "oom", "failed", "timeout"])
def test_a_case_that_is_not_ok_is_not_recommended(status, tmp_path):
    records = [measured("baseline", 2.0), measured("fp16", 1.0, status=status, reason="why")]
    found = only(tmp_path, [fp16()], records)
    assert found.best.case.name == "baseline"
    assert why(found, "fp16") == ExclusionReason(ExclusionKind.STATUS)


@pytest.mark.parametrize(("latency_s", "best"), [(1.0 / 1.06, "baseline"), (1.0 / 1.08, "fp16")])
def test_the_margin_without_intervals_is_that_of_a_ratio_of_two_processes(tmp_path, latency_s, best):
    """By hand: 1.96 * 2.4 % * sqrt(2) = 6.7 %."""
    found = only(tmp_path, [fp16()], [measured("baseline", 1.0), measured("fp16", latency_s)])
    assert found.best.case.name == best


def test_of_cases_that_cannot_be_distinguished_the_one_that_changes_least_is_recommended(tmp_path):
    found = only(tmp_path, [sliced()], [measured("baseline", 1.02), measured("sliced", 1.0)])
    assert found.best.case.name == "baseline"
    assert names(found.ties) == ["sliced"]


@pytest.mark.parametrize(
    ("base", "mine", "best"),
    [
        ([1.020, 1.021, 1.020, 1.019], [1.0, 1.001, 1.0, 0.999], "sliced"),
        ([1.3, 0.9, 1.2, 1.0], [1.0, 1.2, 0.8, 0.9], "baseline"),
        ([1.1, 1.32, 1.65, 2.09], [1.0, 1.2, 1.5, 1.9], "sliced"),
        ([1.04, 1.14], [1.0, 1.1], "baseline"),
    ],
    ids=["small but certain", "noise", "certain under a common drift", "too few passes"],
)
def test_passes_distinguish_cases_by_their_ratios(tmp_path, base, mine, best):
    found = only(tmp_path, [sliced()], [*in_passes("baseline", base), *in_passes("sliced", mine)])
    assert found.best.case.name == best


def test_latents_that_are_not_decoded_are_not_an_alternative_to_pictures(tmp_path):
    cases = [case("latents", call={**CALL, "output_type": "latent"})]
    found = only(tmp_path, cases, [measured("baseline", 2.0), measured("latents", 1.0, output_type="latent")])
    other = Difference("output_type", "pil", "latent")
    assert why(found, "latents") == ExclusionReason(ExclusionKind.OTHER_WORK, (other,))


BATCH = case("batch", call={**CALL, "num_images_per_prompt": 4}, seed=(0, 1, 2, 3))


def test_a_batch_counts_for_throughput_where_it_is_admitted(tmp_path):
    records = [measured("baseline", 2.0), measured("batch", 4.0, images=4)]
    constraints = Constraints(goal=Goal.THROUGHPUT, other_images=True)
    assert only(tmp_path, [BATCH], records, constraints).best.case.name == "batch"


@pytest.mark.parametrize(("first", "best"), [(PIXELS, "batch"), (unlike(60), "baseline")])
def test_a_batch_counts_for_throughput_if_its_first_picture_is_that_of_a_single_call(tmp_path, first, best):
    records = [measured("baseline", 2.0), measured("batch", 4.0, images=4)]
    found = only(tmp_path, [BATCH], records, Constraints(goal=Goal.THROUGHPUT), {"batch": first})
    assert found.best.case.name == best


def test_a_batch_is_not_a_candidate_for_latency(tmp_path):
    found = only(tmp_path, [BATCH], [measured("baseline", 2.0), measured("batch", 1.0, images=4)])
    assert found.best.case.name == "baseline"


def test_the_least_energy_is_recommended(tmp_path):
    records = [measured("baseline", 1.0, energy_per_image_j=90.0), measured("fp16", 2.0, energy_per_image_j=50.0)]
    assert only(tmp_path, [fp16()], records, Constraints(goal=Goal.ENERGY)).best.case.name == "fp16"


def test_without_energy_nothing_is_recommended_for_it(tmp_path):
    found = only(tmp_path, [], [measured("baseline", 1.0)], Constraints(goal=Goal.ENERGY))
    assert found.best is None
    assert why(found, "baseline") == ExclusionReason(ExclusionKind.NO_FIGURE)


def test_peaks_that_an_allocator_rounds_cannot_be_distinguished(tmp_path):
    records = [
        measured("baseline", 1.0, peak_reserved_bytes=1.001 * GIB),
        measured("sliced", 1.0, peak_reserved_bytes=1.0 * GIB),
    ]
    assert only(tmp_path, [sliced()], records, Constraints(goal=Goal.MEMORY)).best.case.name == "baseline"


def test_if_the_baseline_did_not_fit_another_case_is_the_reference(tmp_path):
    cases = [fp16(), case("tiled", dtype="float16", optimizations=("vae_tiling",), call=CALL)]
    found = only(tmp_path, cases, [ended("baseline", "oom", "full"), measured("fp16", 2.0), measured("tiled", 1.0)])
    assert found.task.reference.name == "fp16"
    assert found.best.case.name == "tiled"


def test_if_no_baseline_was_measured_the_reference_makes_the_image_that_it_should_have_made(tmp_path):
    cases = [case("fast", scheduler=OTHER_SCHEDULER, call=CALL), fp16()]
    records = [ended("baseline", "failed", "why"), measured("fast", 1.0), measured("fp16", 2.0)]
    assert only(tmp_path, cases, records).task.reference.name == "fp16"


@pytest.mark.parametrize(("admitted", "best"), [(False, None), (True, "fast")])
def test_if_only_other_images_were_measured_one_is_recommended_only_if_it_is_admitted(tmp_path, admitted, best):
    cases = [case("fast", scheduler=OTHER_SCHEDULER, call=CALL)]
    records = [ended("baseline", "oom", "full"), measured("fast", 1.0)]
    found = only(tmp_path, cases, records, Constraints(other_images=admitted)).best
    assert (found and found.case.name) == best


def test_a_similarity_just_below_the_least_is_not_enough(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.analyze.pixels._psnr", lambda *_: 29.96)
    records = [measured("baseline", 2.0), measured("fp16", 1.0)]
    found = only(tmp_path, [fp16()], records, pictures={"fp16": unlike(4)})
    assert why(found, "fp16").kind is ExclusionKind.IMAGE_DIFFERS


def test_cases_of_baselines_that_make_other_images_are_tasks_of_their_own(tmp_path):
    cases = [case("large", baseline="large", call={**CALL, "height": 1024})]
    found = recommendations(tmp_path, cases, [measured("baseline", 2.0), measured("large", 9.0, height=1024)])
    assert [each.best.case.name for each in found] == ["baseline", "large"]


def test_a_task_has_the_settings_of_its_reference(tmp_path):
    cases = [case("large", baseline="large", call={**CALL, "height": 1024})]
    found = recommendations(tmp_path, cases, [measured("baseline", 2.0), measured("large", 9.0, height=1024)])
    assert [each.task.settings.height for each in found] == [512, 1024]


HALF = case("half", baseline="half", dtype="float16", optimizations=("fuse_qkv",), call=CALL)
OF_TWO_BASELINES = [measured("baseline", 2.0), measured("fp16", 1.5), measured("half", 1.0)]


def test_cases_of_baselines_that_make_the_same_image_are_one_task(tmp_path):
    assert only(tmp_path, [fp16(), HALF], OF_TWO_BASELINES).best.case.name == "half"


def test_a_case_of_another_baseline_is_compared_with_the_reference(tmp_path):
    found = only(tmp_path, [fp16(), HALF], OF_TWO_BASELINES, pictures={"half": unlike(60)})
    assert found.best.case.name == "fp16"


def test_a_case_whose_optimization_changed_the_picture_of_its_own_baseline_is_not_recommended(tmp_path):
    wrong = case("wrong", baseline="half", dtype="float16", optimizations=("channels_last",), call=CALL)
    half = replace(HALF, optimizations=())
    records = [*OF_TWO_BASELINES, measured("wrong", 0.5)]
    found = only(tmp_path, [fp16(), half, wrong], records, pictures={"half": unlike(60)})
    assert found.best.case.name == "fp16"
    assert why(found, "wrong").kind is ExclusionKind.PART_DIFFERS


@pytest.fixture
def gaps(tmp_path):
    cases = [case(), case("x", optimizations=("xformers",)), case("late", dtype="float16"), case("s", dtype="bfloat16")]
    records = [measured("baseline", 2.0), ended("x", "skipped", "not installed"), measured("s", 1.0)]
    run = open_run(make_folder(tmp_path / "run", cases, records))
    return unmeasured(run, results(run), "stable-diffusion-v1-5", ["xformers", "compile"])


def test_optimizations_that_no_case_tried_are_named(gaps):
    assert gaps.optimizations == ("compile",)


def test_dtypes_that_no_case_was_measured_in_are_named(gaps):
    assert gaps.dtypes == ("float16",)


def test_cases_that_were_tried_and_not_measured_are_kept(gaps):
    assert [result.key for result in gaps.without_figures] == ["sd/x"]


def test_cases_that_were_not_run_are_named(gaps):
    assert gaps.not_run == ("sd/late",)
