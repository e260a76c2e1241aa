"""The verdicts, by table: statuses, thresholds, memory, what cannot be compared, and what all of them come to."""

from dataclasses import replace

import pytest
from analyze.make import result

from bench.analyze.comparison import Difference, Pair
from bench.analyze.gate import BLOCKS, EXTENDED, GateVerdict, Judged, Reason, judge, overall, settle
from bench.records.columns import flatten
from bench.records.outcomes import Status
from bench.statistics import Interval
from bench.units import GIB, MIB

P, R, I, N = GateVerdict.PASSED, GateVerdict.REGRESSED, GateVerdict.INCONCLUSIVE, GateVerdict.NOT_COMPARABLE  # noqa: E741 - initials of a table
MEASURED = result("a", weights="hub", peak_allocated_bytes=1.0 * GIB)
SAME = Pair("sd/a", MEASURED, MEASURED, 1.0, Interval(0.99, 1.01), (6, 6))
NO_FIGURES = replace(SAME, ratio=None, interval=None)


def like(**columns):
    """Return the measured result with other columns."""
    return result(**{"weights": "hub", **flatten(MEASURED), **columns})


def judged(pair, threshold=0.03):
    return judge([pair], threshold)[0]


def interval(low, high):
    return replace(SAME, ratio=(low + high) / 2, interval=Interval(low, high))


@pytest.mark.parametrize(
    ("low", "high", "verdict", "reason"),
    [
        (0.9, 0.95, P, Reason.NOT_SLOWER), (0.99, 1.01, P, Reason.NOT_SLOWER), (1.01, 1.02, P, Reason.NOT_SLOWER),
        (1.02, 1.04, I, Reason.UNDECIDED), (1.02, 1.03, I, Reason.UNDECIDED), (1.03, 1.03, I, Reason.UNDECIDED),
        (1.03, 1.05, I, Reason.UNDECIDED), (0.5, 1.5, I, Reason.UNDECIDED), (1.0301, 1.05, R, Reason.SLOWER),
        (1.5, 1.6, R, Reason.SLOWER),
    ],
)  # fmt: skip
def test_latency_is_judged_by_the_whole_interval(low, high, verdict, reason):
    found = judged(interval(low, high))
    assert found.verdict is verdict
    assert reason in found.reasons


def test_too_few_processes_are_inconclusive():
    found = judged(replace(SAME, ratio=9.0, interval=None, processes=(1, 1)))
    assert found.verdict is I
    assert found.reasons == (Reason.TOO_FEW_PROCESSES,)


@pytest.mark.parametrize(("base", "new", "expected"), [(None, 0.2, R), (0.2, None, P), (0.2, 0.01, P), (0.01, 0.2, R)])
def test_the_threshold_of_the_base_overrides_the_gates_and_the_new_side_has_no_say(base, new, expected):
    pair = replace(interval(1.1, 1.12), base=like(threshold=base), new=like(threshold=new))
    assert judged(pair).verdict is expected


# base status -> verdict for each new status, in the order of Status
STATUSES = {
    #              ok unst skip oom time crash fail intr
    "ok":          [P, I, R, R, R, R, R, I],
    "unstable":    [I, I, R, R, R, R, R, I],
    "skipped":     [P, P, P, I, R, R, R, I],
    "oom":         [P, P, I, P, R, R, R, I],
    "timeout":     [N, N, N, N, N, N, N, I],
    "crashed":     [N, N, N, N, N, N, N, I],
    "failed":      [N, N, N, N, N, N, N, I],
    "interrupted": [I, I, I, I, I, I, I, I],
}  # fmt: skip


def pair_of(before, after):
    both = before.measured and after.measured
    return replace(SAME if both else NO_FIGURES, base=like(status=before), new=like(status=after))


def test_the_table_of_statuses_is_whole():
    assert list(STATUSES) == list(Status)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(Status(before), after, row[at]) for before, row in STATUSES.items() for at, after in enumerate(Status)],
)
def test_a_change_of_status_is_judged(before, after, expected):
    assert judged(pair_of(before, after)).verdict is expected


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (Status.OK, Status.OOM, Reason.STATUS_WORSE), (Status.OOM, Status.FAILED, Reason.STATUS_WORSE),
        (Status.OOM, Status.OK, Reason.NEWLY_MEASURED), (Status.OOM, Status.OOM, Reason.SAME_STATUS),
        (Status.OOM, Status.SKIPPED, Reason.NEITHER_MEASURED), (Status.CRASHED, Status.OK, Reason.BASE_FAULTY),
        (Status.OK, Status.INTERRUPTED, Reason.INTERRUPTED), (Status.OK, Status.UNSTABLE, Reason.UNSTABLE),
    ],
)  # fmt: skip
def test_a_change_of_status_has_its_reason(before, after, reason):
    assert judged(pair_of(before, after)).reasons == (reason,)


def memory(before, after):
    return replace(SAME, base=like(peak_allocated_bytes=before), new=like(peak_allocated_bytes=after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (GIB, GIB + 16 * MIB, P), (GIB, GIB + 16 * MIB + 1, R), (10 * GIB, 10 * GIB + 50 * MIB, P),
        (10 * GIB, 10 * GIB + 52 * MIB, R), (GIB, 1.0, P), (None, None, P), (GIB, None, I), (None, GIB, I),
    ],
)  # fmt: skip
def test_memory_regresses_past_the_larger_slack(before, after, expected):
    assert judged(memory(before, after)).verdict is expected


@pytest.mark.parametrize(("before", "after"), [(GIB, None), (None, GIB)])
def test_memory_that_one_side_does_not_know_is_a_reason(before, after):
    assert judged(memory(before, after)).reasons == (Reason.MEMORY_UNKNOWN,)


def test_each_judged_quantity_has_a_reason():
    assert judged(SAME).reasons == (Reason.NOT_SLOWER, Reason.MEMORY_KEPT)


def test_a_device_that_counts_no_memory_is_judged_by_latency_alone():
    assert judged(memory(None, None)).reasons == (Reason.NOT_SLOWER,)


def test_grown_memory_regresses_where_latency_cannot_be_judged():
    assert judged(replace(memory(GIB, 2 * GIB), interval=None, processes=(1, 1))).verdict is R


def test_grown_memory_regresses_where_latency_is_unstable():
    pair = replace(memory(GIB, 2 * GIB), new=like(peak_allocated_bytes=2 * GIB, status="unstable"))
    assert judged(pair).verdict is R


def test_the_reasons_are_those_of_the_verdict_alone():
    assert judged(replace(memory(GIB, 2 * GIB), interval=None)).reasons == (Reason.MEMORY_GREW,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"new": None}, Reason.MISSING),
        ({"new": like(device_name="NVIDIA A10")}, Reason.OTHER_DEVICE),
        ({"base": like(device_name=None), "new": like(device_name=None)}, Reason.OTHER_DEVICE),
        ({"settings": (Difference("size", "full", "tiny"),)}, Reason.OTHER_SETTINGS),
        ({"effective": (Difference("denoiser_calls", 50, 25),)}, Reason.OTHER_WORK),
        ({"effective": (Difference("parameters", 10, 9),)}, Reason.OTHER_WORK),
        ({"psnr_db": 12.0}, Reason.OTHER_IMAGE),
    ],
    ids=str,
)
def test_what_cannot_be_compared_has_its_reason(change, reason):
    found = judged(replace(SAME, ratio=9.0, interval=Interval(8.0, 10.0), **change))
    assert found.verdict is N
    assert found.reasons == (reason,)


@pytest.mark.parametrize("attention", ["New", None])
def test_what_else_is_in_effect_may_be_under_test(attention):
    assert judged(replace(SAME, effective=(Difference("attention", "Old", attention),))).verdict is P


@pytest.mark.parametrize(("weights", "decibels"), [("hub", 40.0), ("random", 12.0)])
def test_an_image_that_is_similar_or_of_random_weights_is_not_another_one(weights, decibels):
    new = like(weights=weights)
    assert judged(replace(SAME, new=new, base=new, psnr_db=decibels)).verdict is P


def test_a_case_that_only_the_new_side_has_is_not_judged():
    assert judge([replace(SAME, base=None)]) == []


def test_a_case_of_a_scenario_without_a_baseline_cannot_be_compared():
    (found,) = judge([replace(NO_FIGURES, base=None)], without=["sd"])
    assert found.reasons == (Reason.NO_BASELINE,)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([P, P], P), ([P, I], I), ([I, N, P], N), ([R, N, I, P], R), ([P, R], R), ([N, I], N), ([], N),
    ],
)  # fmt: skip
def test_the_verdict_of_all_is_the_first_in_precedence(verdicts, expected):
    assert overall([Judged(SAME, 0.03, verdict, ()) for verdict in verdicts]) is expected


def test_a_gate_in_which_nothing_was_measured_has_not_passed():
    found = judged(pair_of(Status.SKIPPED, Status.SKIPPED))
    assert found.verdict is P
    assert overall([found]) is N


def as_judged(key, verdict, pair=SAME):
    return Judged(replace(pair, key=key), 0.03, verdict, ())


def asked_after(first):
    """Return what `settle` measures where the first blocks are judged like this."""
    asked = []

    def measure(keys, numbers):
        asked.append((keys, numbers))
        return first

    settle(measure)
    return asked


def test_only_open_cases_are_measured_again():
    wide = interval(0.98, 1.08)
    first = [as_judged("a", P), as_judged("b", I, wide), as_judged("c", R), as_judged("d", N)]
    assert asked_after(first) == [(None, range(BLOCKS)), ({"b"}, range(BLOCKS, EXTENDED))]


@pytest.mark.parametrize(
    "pair",
    [replace(SAME, interval=None), replace(SAME, new=like(status="unstable")), memory(GIB, None)],
    ids=["no interval", "unstable", "memory unknown"],
)
def test_more_blocks_are_not_spent_where_they_cannot_decide(pair):
    assert asked_after([as_judged("a", I, pair)]) == [(None, range(BLOCKS))]


def test_an_unstable_case_that_is_slower_by_all_of_its_interval_is_regressed():
    found = judged(replace(interval(1.5, 1.6), new=like(status="unstable")))
    assert found.verdict is R
    assert found.reasons == (Reason.UNSTABLE_AND_SLOWER,)


def test_an_unstable_case_that_is_faster_has_not_passed():
    assert judged(replace(interval(0.5, 0.6), new=like(status="unstable"))).reasons == (Reason.UNSTABLE,)


COMPILING = like(status="unstable", recompilations=3)


def test_a_case_that_compiles_while_it_runs_is_regressed():
    found = judged(replace(SAME, new=COMPILING))
    assert found.verdict is R
    assert found.reasons == (Reason.RECOMPILES,)


def test_a_case_that_always_compiled_while_it_ran_is_inconclusive():
    assert judged(replace(SAME, base=COMPILING, new=COMPILING)).verdict is I
