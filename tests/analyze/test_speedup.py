"""The speed-up over the baseline, over blocks where there are some, and what a slower first call costs."""

import math

import pytest
from analyze.make import case, ended, in_passes, make_results, measured

BASE, MINE = [2.0, 2.1, 2.0, 2.2], [1.0, 1.0, 1.05, 1.1]
BLOCKS = [base / mine for base, mine in zip(BASE, MINE, strict=True)]
RECORDS = [*in_passes("baseline", BASE), *in_passes("fp16", MINE)]


def compared(tmp_path, *records, others=(), **settings):
    """Return how the case `fp16` compares with `baseline` after these records of both."""
    cases = [case("baseline"), case("fp16", **settings), *map(case, others)]
    return make_results(tmp_path / "run", cases, records)["fp16"].comparison


def test_more_than_one_is_faster(tmp_path):
    assert compared(tmp_path, measured("baseline", 3.0), measured("fp16", 2.0)).speedup == 1.5


def test_batches_of_different_sizes_are_compared_per_image(tmp_path):
    found = compared(tmp_path, measured("baseline", 3.0, images=1), measured("fp16", 6.0, images=4))
    assert found.speedup == 2.0


def test_the_baseline_may_be_measured_after_the_case(tmp_path):
    assert compared(tmp_path, measured("fp16", 2.0), measured("baseline", 3.0)).speedup == 1.5


def test_a_result_names_the_case_it_is_compared_with(tmp_path):
    assert compared(tmp_path, measured("baseline", 3.0), measured("fp16", 2.0)).baseline == "baseline"


def test_the_threshold_of_the_scenario_is_kept(tmp_path):
    assert compared(tmp_path, measured("fp16", 2.0), threshold=0.1).threshold == 0.1


def test_a_case_without_a_baseline_has_no_speedup(tmp_path):
    assert compared(tmp_path, measured("baseline", 3.0), measured("fp16", 2.0), baseline=None).speedup is None


@pytest.mark.parametrize("status", ["failed", "oom", "skipped", "crashed"])
def test_there_is_no_speedup_over_a_baseline_that_failed(tmp_path, status):
    assert compared(tmp_path, ended("baseline", status), measured("fp16", 2.0)).speedup is None


def test_there_is_no_speedup_over_a_baseline_that_was_not_run(tmp_path):
    assert compared(tmp_path, measured("fp16", 2.0)).speedup is None


def test_there_is_no_speedup_over_a_baseline_that_died_before_it_reported_its_size(tmp_path):
    died = ended("baseline", "crashed", size=None, images=None)
    assert compared(tmp_path, died, measured("fp16", 2.0)).speedup is None


def test_a_case_that_failed_has_no_speedup(tmp_path):
    assert compared(tmp_path, measured("baseline", 3.0), ended("fp16", "failed")).speedup is None


@pytest.mark.parametrize(("base", "mine"), [("tiny", "full"), ("full", "tiny")])
def test_a_tiny_and_a_full_model_have_no_speedup(tmp_path, base, mine):
    assert compared(tmp_path, measured("baseline", 3.0, size=base), measured("fp16", 2.0, size=mine)).speedup is None


def test_two_tiny_models_have_a_speedup(tmp_path):
    found = compared(tmp_path, measured("baseline", 3.0, size="tiny"), measured("fp16", 2.0, size="tiny"))
    assert found.speedup == 1.5


def test_latents_and_pictures_have_no_speedup(tmp_path):
    records = [measured("baseline", 3.0, output_type="pil"), measured("fp16", 2.0, output_type="latent")]
    assert compared(tmp_path, *records).speedup is None


def test_the_speed_up_over_passes_is_the_geometric_mean_of_its_blocks(tmp_path):
    expected = math.exp(sum(map(math.log, BLOCKS)) / len(BLOCKS))
    assert compared(tmp_path, *RECORDS).speedup == pytest.approx(expected, rel=1e-12)


def test_four_blocks_have_the_t_interval_of_their_logarithms(tmp_path):
    from scipy.stats import ttest_1samp

    interval = ttest_1samp(list(map(math.log, BLOCKS)), 0).confidence_interval()
    found = compared(tmp_path, *RECORDS)
    expected = math.exp(interval.low), math.exp(interval.high)
    assert (found.speedup_low, found.speedup_high) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_fewer_than_four_blocks_have_no_interval(tmp_path, passes):
    records = [*in_passes("baseline", BASE[:passes]), *in_passes("fp16", MINE[:passes])]
    assert compared(tmp_path, *records).speedup_low is None


def test_the_baseline_has_no_interval_over_itself(tmp_path):
    found = make_results(tmp_path / "run", [case()], in_passes("baseline", BASE))["baseline"].comparison
    assert found.speedup_low is None


def test_a_drift_that_both_share_leaves_the_interval_alone(tmp_path):
    drift = [1.0, 1.1, 1.2, 1.3]
    found = compared(tmp_path, *in_passes("baseline", [2 * each for each in drift]), *in_passes("fp16", drift))
    assert (found.speedup_low, found.speedup_high) == pytest.approx((2.0, 2.0))


def test_a_pass_that_was_cut_short_is_not_a_block(tmp_path):
    records = [
        *RECORDS, measured("baseline", 9.0, process=4), measured("fp16", 1.0, process=4),
        *(measured(name, 1.0, process=5) for name in ("baseline", "fp16")),
        *(measured("bf16", 1.0, process=number) for number in (0, 1, 2, 3, 5)),
    ]  # fmt: skip
    assert compared(tmp_path, *records, others=["bf16"]).blocks == 5


def test_a_case_that_was_given_up_takes_no_block_from_the_others(tmp_path):
    assert compared(tmp_path, *RECORDS, measured("broken", 1.0), others=["broken"]).blocks == 4


def test_several_processes_have_an_interval_between_them(tmp_path):
    found = make_results(tmp_path / "run", [case()], in_passes("baseline", BASE))["baseline"].statistics
    assert found.latency_low_s < found.latency_median_s < found.latency_high_s


COMPILED = {"first_call_s": 13.0, "compiled": "unet"}


def test_a_slower_first_call_is_repaid_by_faster_images(tmp_path):
    found = compared(tmp_path, measured("baseline", 2.0, first_call_s=3.0), measured("fp16", 1.0, **COMPILED))
    assert found.break_even_images == 10.0


@pytest.mark.parametrize("change", [{"first_call_s": 2.0}, {"compiled": None}], ids=["faster", "not compiled"])
def test_a_first_call_that_costs_nothing_has_nothing_to_repay(tmp_path, change):
    mine = measured("fp16", 1.0, **COMPILED | change)
    assert compared(tmp_path, measured("baseline", 2.0, first_call_s=3.0), mine).break_even_images is None


def test_a_slower_case_never_repays_its_first_call(tmp_path):
    found = compared(tmp_path, measured("baseline", 2.0, first_call_s=3.0), measured("fp16", 2.5, **COMPILED))
    assert found.break_even_images is None


def test_a_smaller_denoiser_saves_parameters(tmp_path):
    records = [measured("baseline", 3.0, denoiser_parameters=800), measured("fp16", 2.0, denoiser_parameters=600)]
    assert compared(tmp_path, *records).parameter_reduction == 0.25


def test_parameters_are_saved_even_if_the_case_ran_out_of_memory(tmp_path):
    records = [measured("baseline", 3.0, denoiser_parameters=800), ended("fp16", "oom", denoiser_parameters=600)]
    assert compared(tmp_path, *records).parameter_reduction == 0.25


def test_unknown_parameters_save_nothing_known(tmp_path):
    records = [measured("baseline", 3.0), measured("fp16", 2.0, denoiser_parameters=600)]
    assert compared(tmp_path, *records).parameter_reduction is None


def test_a_tiny_and_a_full_model_save_no_parameters(tmp_path):
    base = measured("baseline", 3.0, size="tiny", denoiser_parameters=8)
    assert compared(tmp_path, base, measured("fp16", 2.0, denoiser_parameters=600)).parameter_reduction is None
