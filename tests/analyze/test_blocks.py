"""Speed-ups over paired rounds, and what a slower first call costs."""

import math

import pandas as pd
import pytest
from analyze.make import case, make_rows, measured

PAIRS = [(2.0, 1.0), (2.1, 1.0), (2.0, 1.05), (2.2, 1.1)]


def outcomes(pairs, **fp16):
    return [
        outcome
        for process, (base, other) in enumerate(pairs)
        for outcome in (
            measured("baseline", base, process=process),
            measured("fp16", other, process=process, **fp16),
        )
    ]


def row(tmp_path, pairs):
    return make_rows(tmp_path / "run", [case(), case("fp16")], outcomes(pairs))["fp16"]


def test_the_speed_up_over_rounds_is_the_geometric_mean_of_its_blocks(tmp_path):
    expected = math.exp(sum(math.log(base / other) for base, other in PAIRS) / 4)
    assert row(tmp_path, PAIRS)["speedup"] == pytest.approx(expected, rel=1e-12)


def test_four_blocks_have_the_t_interval_of_their_logarithms(tmp_path):
    from scipy.stats import ttest_1samp

    interval = ttest_1samp([math.log(base / other) for base, other in PAIRS], 0).confidence_interval()
    found = row(tmp_path, PAIRS)
    assert (found["speedup_low"], found["speedup_high"]) == pytest.approx(
        (math.exp(interval.low), math.exp(interval.high)), rel=1e-9
    )


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_fewer_than_four_blocks_have_no_interval(tmp_path, rounds):
    assert pd.isna(row(tmp_path, PAIRS[:rounds])["speedup_low"])


def test_a_drift_that_both_share_leaves_the_speed_up_alone(tmp_path):
    drifting = [(2.0 * drift, 1.0 * drift) for drift in (1.0, 1.1, 1.2, 1.3)]
    found = row(tmp_path, drifting)
    assert (found["speedup_low"], found["speedup_high"]) == pytest.approx((2.0, 2.0))


def test_a_round_that_was_cut_short_leaves_the_paired_statistics(tmp_path):
    cut = [*outcomes(PAIRS), measured("baseline", 9.0, process=4)]
    cases = [case(), case("fp16"), case("bf16")]
    others = [measured("bf16", 1.0, process=number) for number in (0, 1, 2, 3, 5)]
    made_up = [measured(name, 1.0, process=5) for name in ("baseline", "fp16")]
    found = make_rows(tmp_path / "run", cases, [*cut, measured("fp16", 1.0, process=4), *others, *made_up])["fp16"]
    assert found["blocks"] == 5


def test_a_case_that_was_given_up_takes_nothing_from_the_others(tmp_path):
    cases = [case(), case("fp16"), case("broken")]
    found = make_rows(tmp_path / "run", cases, [*outcomes(PAIRS), measured("broken", 1.0)])["fp16"]
    assert found["blocks"] == 4


def test_processes_have_an_interval_between_them(tmp_path):
    found = row(tmp_path, PAIRS)
    assert (found["interval"], found["latency_low_s"] < 1.0 < found["latency_high_s"]) == ("between processes", True)


def test_a_slower_first_call_is_repaid_by_faster_images(tmp_path):
    pair = [measured("baseline", 2.0, first_call_s=3.0), measured("fp16", 1.0, first_call_s=13.0, compiled="unet")]
    assert make_rows(tmp_path / "run", [case(), case("fp16")], pair)["fp16"]["break_even_images"] == 10.0


def test_a_faster_first_call_has_nothing_to_repay(tmp_path):
    pair = [measured("baseline", 2.0, first_call_s=3.0), measured("fp16", 1.0, first_call_s=2.0, compiled="unet")]
    assert pd.isna(make_rows(tmp_path / "run", [case(), case("fp16")], pair)["fp16"]["break_even_images"])
