"""The verdicts, by table: statuses, thresholds, memory, what cannot be compared, and what all of them come to."""

from dataclasses import replace
from itertools import combinations

import pytest
from analyze.make import result

from bench.analyze.comparison import BLOCKS, EXTENDED, Difference, Pair
from bench.analyze.gate import GateVerdict, Judged, Reason, judge, judge_in_two_looks, overall
from bench.records.columns import flatten
from bench.records.outcomes import PeakKind, Status
from bench.statistics import Interval
from bench.units import GIB, MIB

P, R, I, N = GateVerdict.PASSED, GateVerdict.REGRESSED, GateVerdict.INCONCLUSIVE, GateVerdict.NOT_COMPARABLE  # noqa: E741 - initials of a table

TENSORS, RESIDENT = PeakKind.ALLOCATED, PeakKind.RSS_GROWTH


def of_peaks(*peaks, kind=TENSORS):
    """Return the columns of a result whose processes have these peaks."""
    return {"process_peaks_bytes": dict(enumerate(peaks)), "process_peaks_kind": kind}


MEASURED = result("a", weights="hub", **of_peaks(1.0 * GIB))
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
    #              ok unst diff skip oom time crash fail intr
    "ok":          [P, I, P, R, R, R, R, R, I],
    "unstable":    [I, I, I, R, R, R, R, R, I],
    "differs":     [P, I, P, R, R, R, R, R, I],
    "skipped":     [P, P, P, P, I, R, R, R, I],
    "oom":         [P, P, P, I, P, R, R, R, I],
    "timeout":     [N, N, N, N, N, N, N, N, I],
    "crashed":     [N, N, N, N, N, N, N, N, I],
    "failed":      [N, N, N, N, N, N, N, N, I],
    "interrupted": [I, I, I, I, I, I, I, I, I],
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
    """Return a pair with one exact peak on each side; None: unknown."""
    base, new = (like(**of_peaks(*filter(None, [peak]))) for peak in (before, after))
    return replace(SAME, base=base, new=new)


def peaks(kind, base, new):
    """Return a pair with these peaks in MiB beyond 4 GiB, one for each process."""
    sides = (like(**of_peaks(*(4 * GIB + each * MIB for each in side), kind=kind)) for side in (base, new))
    return replace(SAME, **dict(zip(("base", "new"), sides, strict=True)))


WORKSPACE = 256  # MiB that an algorithm may take, beyond what tensors need


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        ([0] * 6, [64] * 6, Reason.MEMORY_GREW),
        ([0] * 6, [64] * 5 + [64 + WORKSPACE], Reason.MEMORY_GREW),
        ([0] * 5 + [WORKSPACE], [64] * 6, Reason.MEMORY_VARIES),  # until there are eight
        ([0] * 13 + [WORKSPACE], [64] * 14, Reason.MEMORY_GREW),
        ([0] * 6, [0] * 5 + [WORKSPACE], Reason.MEMORY_KEPT),  # the maximum grew, and says nothing
        ([0] * 13 + [WORKSPACE] * 1, [0] * 12 + [WORKSPACE] * 2, Reason.MEMORY_KEPT),
        ([0] * 6, [0] * 2 + [WORKSPACE] * 4, Reason.MEMORY_VARIES),
        ([0], [0] * 5 + [WORKSPACE], Reason.MEMORY_KEPT),  # unequal numbers
        ([0], [64], Reason.MEMORY_GREW),
    ],
)
def test_exact_memory_is_judged_by_the_least_peak_and_by_whether_processes_agree(base, new, expected):
    assert expected in judged(peaks(TENSORS, base, new)).reasons


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        ([106, 0, 1, 64], [44, 105, 3, 90], Reason.MEMORY_KEPT),
        ([0, 1, 64, 106], [107, 110, 130, 140], Reason.MEMORY_KEPT),  # within the slack of 20.5 MiB
        ([0, 1, 64, 106], [130, 140, 150, 160], Reason.MEMORY_VARIES),
        ([0] * 6, [410] * 6, Reason.MEMORY_GREW),  # over 10 %
        ([0] * 3, [410] * 3, Reason.MEMORY_VARIES),
        ([0, 50, 106] * 3, [130, 140, 150] * 3, Reason.MEMORY_GREW),
        ([0, 50, 106] * 3, [130, 140, 150] * 2 + [130, 140, 100], Reason.MEMORY_KEPT),
    ],
)
def test_resident_memory_grew_only_if_it_did_in_every_process(base, new, expected):
    extended = replace(interval(0.99, 1.01), processes=(9, 9))
    sides = peaks(RESIDENT, base, new)
    assert expected in judged(replace(extended, base=sides.base, new=sides.new)).reasons


PUBLISHED = {  # of four processes each, in GiB; the same code, in the same hour (results/published/amd-epyc)
    "baseline": [4.565, 4.458, 4.459, 4.522],
    "bf16": [2.307, 2.191, 2.239, 2.200],
    "distilled": [2.992, 3.067, 2.909, 2.909],
    "distilled-tiny-vae": [2.723, 2.586, 2.581, 2.691],
}


@pytest.mark.parametrize("case", PUBLISHED)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_no_part_of_the_published_run_regresses_in_memory_against_another(case, count):
    sizes = [size * GIB for size in PUBLISHED[case]]
    for new in combinations(range(4), count):
        for base in (set(range(4)) - set(new), range(4), range(1)):
            sides = [like(**of_peaks(*(sizes[at] for at in side), kind=RESIDENT)) for side in (base, new) if side]
            if len(sides) > 1:
                assert judged(replace(SAME, base=sides[0], new=sides[1])).verdict is not R


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
    pair = replace(memory(GIB, 2 * GIB), new=like(**of_peaks(2 * GIB), status="unstable"))
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
    """Return what `judge_in_two_looks` measures where the first blocks are judged like this."""
    asked = []

    def measure(keys, numbers):
        asked.append((keys, numbers))
        return first

    judge_in_two_looks(measure)
    return asked


def test_only_open_cases_are_measured_again():
    wide = interval(0.98, 1.08)
    first = [as_judged("a", P), as_judged("b", I, wide), as_judged("c", R), as_judged("d", N)]
    assert asked_after(first) == [(None, range(BLOCKS)), ({"b"}, range(BLOCKS, EXTENDED))]


def test_more_blocks_are_measured_where_memory_is_open():
    found = judged(peaks(RESIDENT, [0, 1, 64, 106, 50, 20], [130, 140, 150, 160, 170, 180]))
    assert asked_after([found]) == [(None, range(BLOCKS)), ({"sd/a"}, range(BLOCKS, EXTENDED))]


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
