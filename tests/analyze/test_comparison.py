from dataclasses import replace

import pytest
from analyze.make import A100, H200, ended, in_passes, make_side, measured, result

from bench.analyze.comparison import (
    ComparisonVerdict,
    Difference,
    EnvironmentDifference,
    Pair,
    environment_differences,
    expected_by_chance,
    geometric_mean,
    pair_up,
)
from bench.analyze.side import Side
from bench.records.outcomes import PeakKind, Remark, RemarkKind
from bench.statistics import Interval

THREE = [1.0, 1.01, 0.99]


@pytest.fixture
def pairs_of(tmp_path):
    """Pair up two lists of records."""

    def pairs(base, new, **options):
        sides = make_side(tmp_path / "base", base), make_side(tmp_path / "new", new)
        return pair_up(*sides, **options)

    return pairs


def test_a_ratio_is_the_new_latency_over_the_bases(pairs_of):
    assert pairs_of([measured("a", 2.0)], [measured("a", 3.0)])[0].ratio == pytest.approx(1.5)


def test_one_process_on_each_side_has_no_interval(pairs_of):
    assert pairs_of([measured("a", 2.0)], [measured("a", 3.0)])[0].interval is None


def test_three_processes_on_each_side_have_an_interval(pairs_of):
    interval = pairs_of(in_passes("a", THREE), in_passes("a", THREE))[0].interval
    assert interval.low < 1 < interval.high


def test_paired_passes_cancel_a_drift(pairs_of):
    base, new = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], [1.1, 2.2, 4.4, 8.8, 17.6, 35.2]
    interval = pairs_of(in_passes("a", base), in_passes("a", new), passes_are_pairs=True)[0].interval
    assert (interval.low, interval.high) == pytest.approx((1.1, 1.1))


def test_one_bad_process_of_fourteen_pairs_does_not_widen_the_interval(pairs_of):
    """By hand: thirteen ratios of 1 and one of 2; the 18th Walsh average of 105 is still one of 91 that are 0."""
    base, new = in_passes("a", [1.0] * 14), in_passes("a", [1.0] * 13 + [2.0])
    assert pairs_of(base, new, passes_are_pairs=True)[0].interval == Interval(1.0, 1.0)


def test_only_passes_that_both_sides_have_are_pairs(pairs_of):
    base, new = in_passes("a", [1.0] * 6), in_passes("a", [1.1] * 4)
    assert pairs_of(base, new, passes_are_pairs=True)[0].processes == (4, 4)


def test_cases_are_in_the_bases_order_and_those_only_in_new_come_last(pairs_of):
    base, new = [measured(name, 1.0) for name in "bac"], [measured(name, 1.0) for name in "xab"]
    assert [pair.key for pair in pairs_of(base, new)] == ["sd/b", "sd/a", "sd/c", "sd/x"]


@pytest.mark.parametrize(("base", "new"), [("ok", "oom"), ("oom", "ok"), ("failed", "skipped")])
def test_a_case_that_one_side_did_not_measure_has_no_ratio(pairs_of, base, new):
    records = [measured("a", 1.0) if status == "ok" else ended("a", status) for status in (base, new)]
    assert pairs_of(records[:1], records[1:])[0].ratio is None


def test_another_setting_is_a_difference_with_both_values(pairs_of):
    (pair,) = pairs_of([measured("a", 1.0, dtype="float32")], [measured("a", 1.0, dtype="float16")])
    assert pair.settings == (Difference("dtype", "float32", "float16"),)


@pytest.mark.parametrize("columns", [{"scheduler": "DDIM"}, {"optimizations": "tf32"}], ids=["scheduler", "names"])
def test_what_a_case_that_ended_early_never_reported_is_not_a_difference(pairs_of, columns):
    assert pairs_of([measured("a", 1.0, **columns)], [ended("a", "oom")])[0].settings == ()


@pytest.mark.parametrize(
    ("base", "new"), [({"attention": "Old"}, {"attention": "New"}), ({"started_by": "fork"}, {"started_by": "spawn"})]
)
def test_what_is_in_effect_differently_is_not_another_setting(pairs_of, base, new):
    (pair,) = pairs_of([measured("a", 1.0, **base)], [measured("a", 1.0, **new)])
    assert pair.settings == ()


@pytest.mark.parametrize(
    ("base", "new"), [({"attention": "Old"}, {"attention": "New"}), ({"started_by": "fork"}, {"started_by": "spawn"})]
)
def test_what_is_in_effect_differently_is_listed(pairs_of, base, new):
    (pair,) = pairs_of([measured("a", 1.0, **base)], [measured("a", 1.0, **new)])
    (field,) = base
    assert pair.effective == (Difference(field, base[field], new[field]),)


@pytest.mark.parametrize(("base", "new"), [(3, None), (None, 3)])
def test_a_core_of_its_own_on_one_side_alone_is_listed(pairs_of, base, new):
    sides = ([measured("a", 1.0, **({} if core is None else {"pinned_core": core}))] for core in (base, new))
    assert pairs_of(*sides)[0].effective == (Difference("pinned", base is not None, new is not None),)


def test_which_core_it_was_makes_no_difference(pairs_of):
    assert pairs_of([measured("a", 1.0, pinned_core=3)], [measured("a", 1.0, pinned_core=5)])[0].effective == ()


def test_a_remark_that_both_sides_have_is_not_of_one_alone():
    one, other = result(remarks="disturbed:0.4; never-warm"), result(remarks="disturbed:0.1")
    assert Pair("sd/a", one, other).other_remarks == ((Remark(RemarkKind.NEVER_WARM),), ())


@pytest.mark.parametrize(("ratio", "low", "high"), [(1.5, 1.4, 1.6), (1.5, 0.9, 2.1)])
def test_chance_is_counted_over_the_cases_that_have_an_interval(ratio, low, high):
    pairs = [pair_with(ratio, low, high)] * 80 + [Pair("sd/a", result(), None)]
    assert expected_by_chance(pairs) == (2.0, 80)


@pytest.mark.parametrize(("field", "work"), [("denoiser_calls", True), ("parameters", True), ("vae_slicing", False)])
def test_what_changes_how_much_there_is_to_compute_is_other_work(field, work):
    difference = Difference(field, 2, 1)
    assert Pair("sd/a", result(), result(), effective=(difference,)).other_work == ((difference,) if work else ())


@pytest.mark.parametrize(("device", "differences"), [("cuda", ()), ("cpu", (Difference("threads", 16, 8),))])
def test_threads_are_a_setting_of_a_cpu_only(pairs_of, device, differences):
    sides = ([measured("a", 1.0, device=device, threads=threads)] for threads in (16, 8))
    assert pairs_of(*sides)[0].settings == differences


def with_peaks(kind, *peaks):
    """Return a result whose processes have these peaks, of one kind."""
    return result(process_peaks_bytes=dict(enumerate(peaks)), process_peaks_kind=kind)


TENSORS, RESIDENT = PeakKind.ALLOCATED, PeakKind.RSS_GROWTH


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        (with_peaks(TENSORS, 1.0), with_peaks(TENSORS, 2.0), (1.0, 2.0)),
        (with_peaks(RESIDENT, 1.0), with_peaks(RESIDENT, 2.0), (1.0, 2.0)),
        (with_peaks(TENSORS, 1.0), with_peaks(RESIDENT, 2.0), (1.0, None)),
        (with_peaks(RESIDENT, 1.0), None, (1.0, None)),
        (result(), result(), (None, None)),
    ],
)
def test_memory_is_of_one_kind_on_both_sides(base, new, expected):
    assert Pair("sd/a", base, new).memory_bytes == expected


def test_memory_is_the_median_of_the_processes_however_many_there_are():
    pair = Pair("sd/a", with_peaks(RESIDENT, 5.0), with_peaks(RESIDENT, 5.0, 4.0, 9.0))
    assert pair.memory_bytes == (5.0, 5.0)


@pytest.mark.parametrize(
    ("kind", "base", "new", "expected"),
    [
        (RESIDENT, [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], False),
        (RESIDENT, [5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0], False),
        (RESIDENT, [1.0, 2.0, 3.0, 5.0], [4.0, 6.0, 7.0, 8.0], True),
        (RESIDENT, [1.0, 2.0, 3.0], [5.0, 6.0, 7.0, 8.0], True),
        (TENSORS, [1.0], [5.0], False),
    ],
)
def test_a_change_of_resident_size_may_be_noise_unless_every_process_shows_it(kind, base, new, expected):
    assert Pair("sd/a", with_peaks(kind, *base), with_peaks(kind, *new)).peaks.may_be_noise is expected


def pair_with(ratio, low, high):
    return Pair("sd/a", result(), result(), ratio, Interval(low, high), (4, 4))


V = ComparisonVerdict


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [
        (pair_with(1.5, 1.4, 1.6), V.SLOWER),
        (pair_with(0.5, 0.4, 0.6), V.FASTER),
        (pair_with(1.5, 0.9, 2.1), V.NO_DIFFERENCE),
        (pair_with(1.009, 1.008, 1.01), V.NO_DIFFERENCE),
        (pair_with(0.991, 0.990, 0.992), V.NO_DIFFERENCE),
        (replace(pair_with(1.5, 1.4, 1.6), interval=None), V.TOO_FEW_PROCESSES),
        (replace(pair_with(1.5, 1.4, 1.6), settings=(Difference("steps", 50, 20),)), V.OTHER_SETTINGS),
        (Pair("sd/a", result(), None), V.ONLY_IN_BASE),
        (Pair("sd/a", None, result()), V.ONLY_IN_NEW),
        (Pair("sd/a", result(), result(status="oom")), V.NOT_MEASURED),
    ],
)
def test_a_pair_has_a_verdict(pair, verdict):
    assert pair.verdict is verdict


def test_only_facts_that_differ_are_environment_differences(tmp_path):
    records = [measured("a", 1.0)]
    sides = (
        make_side(tmp_path / "a", records, device_name=A100),
        make_side(tmp_path / "b", records, device_name=H200, torch="3"),
    )
    assert environment_differences(sides) == [
        EnvironmentDifference("device_name", ((A100,), (H200,))),
        EnvironmentDifference("torch", (("2.9.0",), ("3",))),
    ]


def test_a_version_that_a_spreadsheet_shortened_or_extended_is_the_same(tmp_path):
    written = Side("run", tmp_path, {"sd/a": result("a", cuda="13.0", cudnn="91900")})
    edited = Side("edited", tmp_path, {"sd/a": result("a", cuda="13", cudnn="91900.0")})
    assert environment_differences([written, edited]) == []


def test_a_fact_that_differs_within_a_side_has_all_its_values(tmp_path):
    mixed = Side("mixed", tmp_path, {"sd/a": result("a"), "sd/b": result("b", device_name=H200)})
    plain = Side("plain", tmp_path, {"sd/a": result("a"), "sd/b": result("b")})
    assert environment_differences([mixed, plain]) == [EnvironmentDifference("device_name", ((A100, H200), (A100,)))]


def test_the_mean_over_the_same_cases_is_geometric(pairs_of):
    pairs = pairs_of([measured("a", 1.0), measured("b", 1.0)], [measured("a", 4.0), measured("b", 0.25)])
    assert geometric_mean(pairs) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "new",
    [
        [measured("a", 1.0)],
        [measured("a", 1.0), measured("b", 1.0), measured("c", 1.0)],
        [measured("a", 1.0), ended("b", "oom")],
        [measured("a", 1.0), measured("b", 1.0, dtype="float16")],
    ],
    ids=["missing", "more", "not measured", "other settings"],
)
def test_different_sets_of_cases_have_no_mean(pairs_of, new):
    assert geometric_mean(pairs_of([measured("a", 1.0), measured("b", 1.0)], new)) is None
