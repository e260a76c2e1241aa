import pytest
from analyze.make import A100, H200, ended, make_side, measured, replicated

from bench.analyze.comparison import environment, geometric_mean, pair_up

THREE = [1.0, 1.01, 0.99]


@pytest.fixture
def pair_of(tmp_path):
    """Pair two lists of outcomes up."""

    def pair(base, new, **options):
        sides = make_side(tmp_path / "base", base), make_side(tmp_path / "new", new)
        return pair_up(*sides, **options)

    return pair


def test_a_ratio_is_the_new_latency_over_the_bases(pair_of):
    assert pair_of([measured("a", 2.0)], [measured("a", 3.0)])[0].ratio == pytest.approx(1.5)


def test_one_process_a_side_has_no_interval(pair_of):
    assert pair_of([measured("a", 2.0)], [measured("a", 3.0)])[0].interval is None


def test_three_processes_a_side_have_an_interval(pair_of):
    interval = pair_of(replicated("a", THREE), replicated("a", THREE))[0].interval
    assert interval.low < 1 < interval.high


def test_pairs_of_rounds_take_a_drift_out(pair_of):
    base, new = [1.0, 2.0, 4.0, 8.0], [1.1, 2.2, 4.4, 8.8]
    interval = pair_of(replicated("a", base), replicated("a", new), rounds_are_pairs=True)[0].interval
    assert (interval.low, interval.high) == pytest.approx((1.1, 1.1))


def test_only_rounds_that_both_sides_have_are_pairs(pair_of):
    base, new = replicated("a", [1.0] * 6), replicated("a", [1.1] * 4)
    assert pair_of(base, new, rounds_are_pairs=True)[0].processes == (4, 4)


def test_cases_stand_in_the_bases_order_and_what_is_only_in_new_last(pair_of):
    base, new = [measured(name, 1.0) for name in "bac"], [measured(name, 1.0) for name in "xab"]
    assert [pair.key for pair in pair_of(base, new)] == ["sd/b", "sd/a", "sd/c", "sd/x"]


@pytest.mark.parametrize(("base", "new"), [("ok", "oom"), ("oom", "ok"), ("failed", "skipped")])
def test_a_case_that_one_side_did_not_measure_has_no_ratio(pair_of, base, new):
    rows = [measured("a", 1.0) if status == "ok" else ended("a", status) for status in (base, new)]
    assert pair_of([rows[0]], [rows[1]])[0].ratio is None


def test_another_setting_is_named_with_both_values(pair_of):
    pairs = pair_of([measured("a", 1.0, dtype="float32")], [measured("a", 1.0, dtype="float16")])
    assert pairs[0].settings == ("dtype: float32 -> float16",)


def test_what_an_early_end_never_told_is_no_difference(pair_of):
    assert pair_of([measured("a", 1.0, scheduler="DDIM")], [ended("a", "oom")])[0].settings == ()


def test_what_is_in_force_differently_is_no_other_setting(pair_of):
    pair = pair_of([measured("a", 1.0, attention="Old")], [measured("a", 1.0, attention="New")])[0]
    assert (pair.settings, pair.effective) == ((), ("attention: Old -> New",))


def test_how_a_process_was_started_is_in_force_not_a_setting(pair_of):
    pair = pair_of([measured("a", 1.0, started_by="fork")], [measured("a", 1.0, started_by="spawn")])[0]
    assert (pair.settings, pair.effective) == ((), ("started_by: fork -> spawn",))


GIB = 2.0**30


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        ({"peak_allocated_bytes": GIB}, {"peak_allocated_bytes": 2 * GIB}, (GIB, 2 * GIB)),
        ({"peak_rss_growth_bytes": GIB}, {"peak_rss_growth_bytes": 2 * GIB}, (GIB, 2 * GIB)),
        ({"peak_allocated_bytes": GIB}, {"peak_rss_growth_bytes": 2 * GIB}, (GIB, None)),
        ({}, {}, (None, None)),
    ],
)
def test_memory_is_of_one_kind_on_both_sides(pair_of, base, new, expected):
    assert pair_of([measured("a", 1.0, **base)], [measured("a", 1.0, **new)])[0].memory_bytes == expected


def test_only_facts_that_differ_are_told(tmp_path):
    rows = [measured("a", 1.0)]
    sides = (
        make_side(tmp_path / "a", rows, device_name=A100),
        make_side(tmp_path / "b", rows, device_name=H200, torch="3"),
    )
    assert environment(sides) == {"device_name": [A100, H200], "torch": ["2.9.0", "3"]}


def test_the_mean_of_identical_sets_is_geometric(pair_of):
    pairs = pair_of([measured("a", 1.0), measured("b", 1.0)], [measured("a", 4.0), measured("b", 0.25)])
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
def test_sets_that_differ_have_no_mean(pair_of, new):
    assert geometric_mean(pair_of([measured("a", 1.0), measured("b", 1.0)], new)) is None


@pytest.mark.parametrize(("device", "differences"), [("cuda", ()), ("cpu", ("threads: 16 -> 8",))])
def test_threads_are_a_setting_of_a_cpu_only(pair_of, device, differences):
    sides = ([measured("baseline", 1.0, device=device, threads=threads)] for threads in (16, 8))
    (pair,) = pair_of(*sides)
    assert pair.settings == differences
