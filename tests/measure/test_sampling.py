"""When a case is warm and when it has been sampled enough, on scripted latencies."""

import itertools
from dataclasses import replace

import pytest

from bench.measure.clock import Timing
from bench.measure.sampling import TINY, Hooks, Rules, drifts, enough, take_samples, warm_up

RULES = Rules()
ONE_WARM_UP = Rules(min_warmup=1, max_warmup=1, check_stability=False)


def calls(latencies):
    """Return a timed call that takes the scripted seconds, and the list of the seconds taken so far."""
    taken = []
    script = iter(latencies)

    def time_one_call():
        taken.append(next(script))
        return Timing(taken[-1], None)

    return time_one_call, taken


def test_a_steady_case_is_warm_after_two_triples():
    call, taken = calls(itertools.repeat(1.0))
    assert warm_up(call, RULES) == (taken, True)
    assert len(taken) == 6


def test_warm_up_goes_on_while_triples_still_fall():
    call, _ = calls([2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert len(warm_up(call, RULES)[0]) == 12


def test_warm_up_ends_at_its_limit_of_calls():
    call, _ = calls(1 / n for n in itertools.count(1))
    assert len(warm_up(call, RULES)[0]) == 20


def test_warm_up_of_slow_calls_ends_at_its_limit_of_seconds():
    call, _ = calls(itertools.repeat(25.0))
    assert len(warm_up(call, RULES)[0]) == 3


def test_a_case_is_not_warm_while_its_memory_grows():
    call, _ = calls(itertools.repeat(1.0))
    reserved = iter([0, 10, 20, 30, 30, 30])
    assert len(warm_up(call, RULES, watch=lambda: next(reserved))[0]) == 12


def test_one_outlier_in_a_triple_does_not_prolong_warm_up():
    call, _ = calls([1.0, 1.0, 1.0, 1.0, 9.0, 1.0])
    assert len(warm_up(call, RULES)[0]) == 6


def test_constant_samples_stop_at_the_minimum():
    assert enough([1.0] * 10, RULES)


def test_nine_constant_samples_are_not_enough():
    assert not enough([1.0] * 9, RULES)


def test_noisy_samples_continue_past_the_minimum():
    assert not enough([1.0, 1.1] * 5, RULES)


def test_noisy_samples_stop_at_the_maximum():
    assert enough([1.0, 1.5] * 25, RULES)


def test_slow_calls_stop_at_six_samples():
    assert not enough([30.0] * 5, RULES)
    assert enough([30.0] * 6, RULES)


def test_slow_calls_stop_before_six_samples_where_one_more_would_time_out():
    near = replace(RULES, time_limit_s=500.0)
    assert not enough([120.0, 120.0], near)
    assert enough([120.0, 120.0], near, warmup_s=141.0)
    assert enough([120.0, 120.0], near, rejected_s=141.0)


def test_there_is_at_least_one_sample():
    assert not enough([], replace(RULES, time_limit_s=0.0), rejected_s=1000.0)


def test_calls_of_thirty_seconds_have_an_interval():
    call, taken = calls(itertools.repeat(30.0))
    assert len(take_samples(call, replace(RULES, time_limit_s=1500.0)).samples) == 6
    assert len(taken) == 8


def test_a_fixed_number_of_samples_is_taken_however_noisy():
    call, _ = calls(itertools.cycle([1.0, 1.5]))
    assert len(take_samples(call, RULES.fixed(7)).samples) == 7


def test_a_fixed_number_of_samples_is_taken_however_slow():
    call, _ = calls(itertools.repeat(100.0))
    assert len(take_samples(call, RULES.fixed(3)).samples) == 3


def test_a_tiny_model_has_one_warm_up_call():
    call, _ = calls(itertools.cycle([1.0, 5.0]))
    assert take_samples(call, TINY).warmup_calls == 1


def test_a_tiny_model_has_six_samples():
    call, _ = calls(itertools.cycle([1.0, 5.0]))
    assert len(take_samples(call, TINY).samples) == 6


def test_nobody_looks_whether_a_tiny_model_is_steady():
    call, _ = calls([1.0, *[1.0] * 3, *[9.0] * 3])
    assert take_samples(call, TINY).steady is None


@pytest.mark.parametrize(("samples", "steady"), [(1, None), (5, None), (6, True)])
def test_too_few_samples_show_no_steadiness(samples, steady):
    call, _ = calls(itertools.repeat(1.0))
    assert take_samples(call, RULES.fixed(samples)).steady is steady


def test_triples_that_differ_by_no_more_than_their_noise_agree():
    """Second differences 0.4 and 0.4: a call has a standard deviation of 0.16, and 5.36 times that is 0.88."""
    call, _ = calls([1.0, 0.8, 1.0, 1.1, 0.9, 1.1])
    assert warm_up(call, RULES)[1]


def test_triples_that_differ_by_a_drift_do_not_agree():
    call, _ = calls(1 - 0.01 * number for number in itertools.count())
    assert not warm_up(call, RULES)[1]


def test_halves_that_differ_and_do_not_overlap_drift():
    assert drifts([1.0] * 6 + [1.1] * 6, 0.01)


def test_halves_within_the_agreement_do_not_drift():
    assert not drifts([1.0] * 6 + [1.005] * 6, 0.01)


def test_few_samples_drift_where_their_order_is_a_trend():
    assert drifts([16.5, 16.8, 17.1, 17.4, 17.7, 18.0, 18.3], 0.01)


def test_few_samples_in_any_order_do_not_drift():
    assert not drifts([1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0, 1.5], 0.01)


@pytest.mark.parametrize(
    ("latencies", "warm"), [(itertools.repeat(1.0), True), ((1 / n for n in itertools.count(1)), False)]
)
def test_a_case_whose_warm_up_ends_at_a_limit_is_not_warm(latencies, warm):
    call, _ = calls(latencies)
    assert warm_up(call, RULES)[1] is warm


def test_a_first_half_that_differs_counts_as_warm_up():
    call, _ = calls([1.0] * 6 + [2.0] * 6 + [1.0] * 12)
    sampled = take_samples(call, RULES.fixed(12))
    assert sampled.steady
    assert sampled.warmup_calls == 12
    assert sampled.latencies == [1.0] * 12


def test_the_number_of_discarded_samples_is_reported():
    call, _ = calls([1.0] * 6 + [2.0] * 6 + [1.0] * 12)
    discarded = []
    take_samples(call, RULES.fixed(12), Hooks(on_discard=discarded.append))
    assert discarded == [6]


def test_a_case_that_drifts_twice_is_unstable():
    call, _ = calls([1.0] * 6 + [3.0] * 6 + [2.0] * 6 + [1.0] * 12)
    assert take_samples(call, RULES.fixed(12)).steady is False


def test_every_sample_is_reported_with_its_index():
    call, _ = calls([1.0, 0.5, 0.25, 0.75])
    reported = []
    hooks = Hooks(on_sample=lambda index, timing: reported.append((index, timing.latency_s)))
    take_samples(call, ONE_WARM_UP.fixed(3), hooks)
    assert reported == [(0, 0.5), (1, 0.25), (2, 0.75)]


def test_a_rejected_sample_is_replaced():
    call, _ = calls([1.0, 1.0, 9.0, 1.0, 1.0])
    causes = iter([None, "hardware slow-down", None, None])
    sampled = take_samples(call, ONE_WARM_UP.fixed(3), Hooks(rejected=lambda: next(causes)))
    assert sampled.latencies == [1.0, 1.0, 1.0]
    assert sampled.rejected == ["hardware slow-down"]


def test_six_throttled_calls_in_a_row_are_kept_and_end_sampling():
    call, taken = calls(itertools.repeat(30.0))
    reported = []
    hooks = Hooks(rejected=lambda: "power brake", on_sample=lambda index, _: reported.append(index))
    sampled = take_samples(call, RULES, hooks)
    assert sampled.latencies == [30.0] * 6
    assert sampled.throttled == "power brake"
    assert sampled.rejected == []
    assert reported == [0, 1, 2, 3, 4, 5]
    assert len(taken) == 2 + 6


def test_five_throttled_calls_in_a_row_are_thrown_away():
    call, _ = calls(itertools.repeat(1.0))
    causes = iter([*["heat"] * 5, None] * 10)
    sampled = take_samples(call, RULES, Hooks(rejected=lambda: next(causes)))
    assert sampled.throttled == ""
    assert len(sampled.rejected) == 50
    assert len(sampled.samples) == 9


@pytest.mark.parametrize("samples", [3, 12])
def test_a_fixed_number_of_samples_is_taken_of_a_card_that_always_throttles(samples):
    call, _ = calls(itertools.repeat(1.0))
    sampled = take_samples(call, ONE_WARM_UP.fixed(samples), Hooks(rejected=lambda: "heat"))
    assert len(sampled.samples) == samples
    assert sampled.throttled == "heat"


def test_the_seconds_of_rejected_calls_count_toward_the_limit():
    call, taken = calls(itertools.repeat(10.0))
    causes = itertools.cycle(["heat", None])
    sampled = take_samples(call, RULES, Hooks(rejected=lambda: next(causes)))
    assert len(sampled.samples) == 6
    assert len(taken) == 6 + 12


def test_watching_begins_with_the_first_sample():
    call, taken = calls(itertools.repeat(1.0))
    calls_before = []
    take_samples(call, ONE_WARM_UP.fixed(2), Hooks(on_begin=lambda: calls_before.append(len(taken))))
    assert calls_before == [1]


@pytest.mark.parametrize("samples", [1, 5, 6, 50])
def test_fixed_rules_keep_the_other_constants(samples):
    assert RULES.fixed(samples).agreement == RULES.agreement
