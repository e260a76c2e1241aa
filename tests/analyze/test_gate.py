"""The verdicts, by table: statuses, thresholds, memory, what cannot be compared, and what all of them come to."""

from dataclasses import replace

import pytest

from bench.analyze.comparison import Pair
from bench.analyze.gate import BLOCKS, EXTENDED, Judged, Verdict, judge, overall, settle
from bench.records.schema import Status
from bench.statistics import Interval
from bench.units import GIB, MIB

P, R, I, N = Verdict.PASSED, Verdict.REGRESSED, Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE  # noqa: E741 - initials of a table
ROW = {
    "status": "ok", "reason": None, "device_name": "NVIDIA H200", "threshold": None, "peak_allocated_bytes": 1.0 * GIB,
    "peak_rss_growth_bytes": None, "recompilations": 0, "weights": "hub",
}  # fmt: skip
SAME = Pair("sd/a", ROW, ROW, 1.0, Interval(0.99, 1.01), (6, 6), (), ())


def verdict(pair, threshold=0.03):
    return judge([pair], threshold)[0].verdict


def reason(pair):
    return "; ".join(judge([pair])[0].reasons)


def interval(low, high):
    return replace(SAME, ratio=(low + high) / 2, interval=Interval(low, high))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.9, 0.95, P), (0.99, 1.01, P), (1.01, 1.02, P), (1.02, 1.04, I), (1.02, 1.03, I), (1.03, 1.03, I),
        (1.03, 1.05, I), (1.0301, 1.05, R), (1.5, 1.6, R), (0.5, 1.5, I),
    ],
)  # fmt: skip
def test_latency_is_judged_by_the_whole_interval(low, high, expected):
    assert verdict(interval(low, high)) == expected


def test_too_few_processes_are_inconclusive():
    assert verdict(replace(SAME, ratio=9.0, interval=None, processes=(1, 1))) == I


@pytest.mark.parametrize(("base", "new", "expected"), [(None, 0.2, R), (0.2, None, P), (0.2, 0.01, P), (0.01, 0.2, R)])
def test_a_cases_own_threshold_goes_before_the_gates_and_the_new_side_has_no_say(base, new, expected):
    pair = interval(1.1, 1.12)
    assert verdict(replace(pair, base={**ROW, "threshold": base}, new={**ROW, "threshold": new})) == expected


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


def test_the_table_of_statuses_is_whole():
    assert list(STATUSES) == [str(status) for status in Status]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (before, str(after), row[number])
        for before, row in STATUSES.items()
        for number, after in enumerate(Status)
    ],
)  # fmt: skip
def test_a_change_of_status_is_judged(before, after, expected):
    found = {"ok", "unstable"} >= {before, after}
    pair = SAME if found else replace(SAME, ratio=None, interval=None)
    assert verdict(replace(pair, base={**ROW, "status": before}, new={**ROW, "status": after})) == expected


def test_a_change_of_status_tells_why():
    new = {**ROW, "status": "oom", "reason": "tried to allocate 80 GiB"}
    assert "ok -> oom (tried to allocate 80 GiB)" in reason(replace(SAME, new=new))


def memory(before, after):
    return replace(SAME, base={**ROW, "peak_allocated_bytes": before}, new={**ROW, "peak_allocated_bytes": after})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (GIB, GIB + 16 * MIB, P), (GIB, GIB + 16 * MIB + 1, R), (10 * GIB, 10 * GIB + 50 * MIB, P),
        (10 * GIB, 10 * GIB + 52 * MIB, R), (GIB, 1.0, P), (None, None, P), (GIB, None, I), (None, GIB, I),
    ],
)  # fmt: skip
def test_memory_regresses_past_the_larger_slack(before, after, expected):
    assert verdict(memory(before, after)) == expected


def test_grown_memory_regresses_where_latency_cannot_be_judged():
    assert verdict(replace(memory(GIB, 2 * GIB), interval=None, processes=(1, 1))) == R


def test_grown_memory_regresses_where_latency_is_unstable():
    pair = memory(GIB, 2 * GIB)
    assert verdict(replace(pair, new={**pair.new, "status": "unstable"})) == R


def test_the_reason_is_that_of_the_verdict_alone():
    assert reason(replace(memory(GIB, 2 * GIB), interval=None)).startswith("peak memory 1.00 GiB -> 2.00 GiB")


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (replace(SAME, new=None), "gone missing"),
        (replace(SAME, new={**ROW, "device_name": "NVIDIA A100"}), "another device: NVIDIA H200 -> NVIDIA A100"),
        (replace(SAME, settings=("size: full -> tiny",)), "other settings: size: full -> tiny"),
    ],
)
def test_what_cannot_be_compared_says_why(pair, words):
    judged = judge([replace(pair, ratio=9.0, interval=Interval(8.0, 10.0))])[0]
    assert judged.verdict == N
    assert words in judged.reasons[0]


def test_other_versions_in_force_are_no_reason_to_refuse():
    assert verdict(replace(SAME, effective=("attention: Old -> New",))) == P


def test_a_case_that_only_the_new_side_has_is_not_judged():
    assert judge([replace(SAME, base=None)]) == []


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([P, P], P), ([P, I], I), ([I, N, P], N), ([R, N, I, P], R), ([P, R], R), ([N, I], N), ([], N),
    ],
)  # fmt: skip
def test_the_verdict_of_all_is_the_first_in_precedence(verdicts, expected):
    assert overall([Judged(SAME, 0.03, verdict, ()) for verdict in verdicts]) == expected


def as_judged(key, verdict, pair=SAME):
    return Judged(replace(pair, key=key), 0.03, verdict, ())


def settled(first):
    asked = []

    def measure(keys, numbers):
        asked.append((keys, numbers))
        return first

    settle(measure)
    return asked


def test_only_open_cases_are_measured_again():
    wide = interval(0.98, 1.08)
    first = [as_judged("a", P), as_judged("b", I, wide), as_judged("c", R), as_judged("d", N)]
    assert settled(first) == [(None, range(BLOCKS)), ({"b"}, range(BLOCKS, EXTENDED))]


def test_more_blocks_are_not_spent_where_they_cannot_tell():
    without = replace(SAME, interval=None)
    assert settled([as_judged("a", I, without)]) == [(None, range(BLOCKS))]


def test_more_blocks_are_not_spent_on_a_case_that_is_unstable():
    drifting = replace(SAME, new={**ROW, "status": "unstable"})
    assert settled([as_judged("a", I, drifting)]) == [(None, range(BLOCKS))]


def test_more_blocks_are_not_spent_on_memory_that_one_side_does_not_tell():
    assert settled([as_judged("a", I, memory(GIB, None))]) == [(None, range(BLOCKS))]


def test_a_head_that_drifts_and_is_slower_by_all_of_its_interval_is_regressed():
    slower = interval(1.5, 1.6)
    assert verdict(replace(slower, new={**ROW, "status": "unstable"})) == R


def test_a_head_that_drifts_and_is_faster_is_no_pass():
    faster = interval(0.5, 0.6)
    assert verdict(replace(faster, new={**ROW, "status": "unstable"})) == I


def test_a_head_that_compiles_while_it_runs_is_regressed():
    compiling = {**ROW, "status": "unstable", "recompilations": 3}
    assert verdict(replace(SAME, new=compiling)) == R
    assert verdict(replace(SAME, base=compiling, new=compiling)) == I


def test_a_base_that_broke_tells_why_nothing_can_be_held_against_it():
    broken = replace(SAME, base={**ROW, "status": "crashed", "reason": "killed by SIGKILL"}, ratio=None, interval=None)
    assert "the base is crashed (killed by SIGKILL)" in reason(broken)


@pytest.mark.parametrize("found", ["denoiser_calls: 50 -> 25", "parameters: 10 -> 9"])
def test_less_work_is_no_gain(found):
    assert verdict(replace(SAME, effective=(found,))) == N


def test_another_attention_is_what_may_be_under_test():
    assert verdict(replace(SAME, effective=("attention: AttnProcessor -> AttnProcessor2_0",))) == P


@pytest.mark.parametrize(("weights", "decibels", "expected"), [("hub", 12.0, N), ("hub", 40.0, P), ("random", 12.0, P)])
def test_another_image_of_trained_weights_is_no_pass(weights, decibels, expected):
    new = {**ROW, "weights": weights}
    assert verdict(replace(SAME, new=new, base=new, psnr_db=decibels)) == expected


def test_a_gate_in_which_nothing_was_measured_is_not_passed():
    skipped = {**ROW, "status": "skipped"}
    judged = judge([replace(SAME, base=skipped, new=skipped, ratio=None, interval=None)])
    assert (judged[0].verdict, overall(judged)) == (P, N)


def test_a_scenario_that_has_no_baseline_cannot_be_compared():
    alone = replace(SAME, base=None, ratio=None, interval=None)
    assert [each.verdict for each in judge([alone], without=["sd"])] == [N]
    assert judge([alone]) == []
