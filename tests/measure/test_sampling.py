import itertools

import pytest

from bench.measure.clock import Timing
from bench.measure.sampling import TINY, Hooks, Rules, drifts, enough, measure, warm_up

STEADY = Rules()
ONE_WARM_UP = Rules(min_warmup=1, max_warmup=1, judge_steadiness=False)


def latencies(measured):
    return [sample.latency_s for sample in measured.samples]


def calls(latencies):
    """Return a timed call that takes the scripted seconds, and the list of those already taken."""
    taken = []
    script = iter(latencies)

    def time_one_call():
        taken.append(next(script))
        return Timing(taken[-1], None)

    return time_one_call, taken


def test_a_steady_case_is_warm_after_two_triples():
    call, _ = calls(itertools.repeat(1.0))
    assert warm_up(call, STEADY)[0] == 6


def test_warm_up_goes_on_while_triples_still_fall():
    call, _ = calls([2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert warm_up(call, STEADY)[0] == 12


def test_warm_up_ends_at_its_cap_of_calls():
    call, _ = calls(1 / n for n in itertools.count(1))
    assert warm_up(call, STEADY)[0] == 20


def test_warm_up_of_slow_calls_ends_at_its_cap_of_seconds():
    call, _ = calls(itertools.repeat(25.0))
    assert warm_up(call, STEADY)[0] == 3


def test_growing_memory_is_not_warm_however_steady_the_time():
    call, _ = calls(itertools.repeat(1.0))
    reserved = iter([0, 10, 20, 30, 30, 30])
    assert warm_up(call, STEADY, watch=lambda: next(reserved))[0] == 12


def test_one_outlier_in_a_triple_does_not_prolong_warm_up():
    call, _ = calls([1.0, 1.0, 1.0, 1.0, 9.0, 1.0])
    assert warm_up(call, STEADY)[0] == 6


def test_constant_samples_stop_at_the_minimum():
    assert enough([1.0] * 10, STEADY)


def test_nine_samples_are_not_enough():
    assert not enough([1.0] * 9, STEADY)


def test_noisy_samples_go_on_past_the_minimum():
    assert not enough([1.0, 1.1] * 5, STEADY)


def test_noisy_samples_stop_at_the_maximum():
    assert enough([1.0, 1.5] * 25, STEADY)


def test_the_cap_of_seconds_beats_the_minimum_number():
    assert enough([70.0, 70.0], STEADY)


def test_a_fixed_number_of_samples_is_taken_however_noisy():
    call, _ = calls(itertools.cycle([1.0, 1.5]))
    assert len(measure(call, STEADY.fixed(7)).samples) == 7


def test_a_fixed_number_is_taken_also_of_slow_calls():
    call, _ = calls(itertools.repeat(100.0))
    assert len(measure(call, STEADY.fixed(3)).samples) == 3


def test_a_tiny_twin_has_one_warm_up_and_six_samples():
    call, taken = calls(itertools.cycle([1.0, 5.0]))
    measured = measure(call, TINY)
    assert (measured.warmup_calls, len(measured.samples), len(taken)) == (1, 6, 7)


def test_a_tiny_twin_is_never_unstable():
    call, _ = calls([1.0, *[1.0] * 3, *[9.0] * 3])
    assert measure(call, TINY).steady


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
def test_a_case_that_only_a_cap_ended_is_not_warm(latencies, warm):
    call, _ = calls(latencies)
    assert warm_up(call, STEADY)[1] is warm


def test_a_first_half_that_was_still_warming_becomes_warm_up():
    rules = STEADY.fixed(12)
    call, _ = calls([1.0] * 6 + [2.0] * 6 + [1.0] * 12)
    discarded = []
    measured = measure(call, rules, Hooks(on_discard=discarded.append))
    assert (discarded, measured.warmup_calls, measured.steady) == ([6], 12, True)
    assert [sample.latency_s for sample in measured.samples] == [1.0] * 12


def test_a_case_that_drifts_twice_is_unstable():
    call, _ = calls([1.0] * 6 + [3.0] * 6 + [2.0] * 6 + [1.0] * 12)
    assert not measure(call, STEADY.fixed(12)).steady


def test_every_sample_is_told_with_its_position():
    call, _ = calls([1.0, 0.5, 0.25, 0.75])
    told = []
    hooks = Hooks(on_sample=lambda index, timing: told.append((index, timing.latency_s)))
    measure(call, ONE_WARM_UP.fixed(3), hooks)
    assert told == [(0, 0.5), (1, 0.25), (2, 0.75)]


def test_a_rejected_sample_is_thrown_away_named_and_made_up_for():
    call, _ = calls([1.0, 1.0, 9.0, 1.0, 1.0])
    causes = iter([None, "hardware slow-down", None, None])
    measured = measure(call, ONE_WARM_UP.fixed(3), Hooks(rejected=lambda: next(causes)))
    assert (latencies(measured), measured.rejected) == ([1.0, 1.0, 1.0], ["hardware slow-down"])


def test_a_card_that_always_throttles_does_not_hold_the_run_for_ever():
    call, _ = calls(itertools.repeat(1.0))
    measured = measure(call, ONE_WARM_UP.fixed(3), Hooks(rejected=lambda: "hardware slow-down"))
    assert (measured.samples, len(measured.rejected)) == ([], 3)


def test_the_watch_begins_when_the_first_sample_does():
    call, taken = calls(itertools.repeat(1.0))
    begun = []
    measure(call, ONE_WARM_UP.fixed(2), Hooks(on_begin=lambda: begun.append(len(taken))))
    assert begun == [1]


@pytest.mark.parametrize("samples", [1, 5, 6, 50])
def test_fixed_rules_keep_the_other_constants(samples):
    assert STEADY.fixed(samples).agreement == STEADY.agreement
