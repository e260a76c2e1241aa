"""A search with a time budget, on a clock that only the tests move."""

from math import prod

import pytest

from bench.session.budget import (
    CAREFUL_SAMPLES,
    MARGIN,
    OVERHEAD_S,
    PASSES,
    SCREENING_SAMPLES,
    SHORTEST_S,
    Search,
    Spent,
)
from bench.session.search import Config, Space, untried

NAMES = tuple("abcdefgh")
SPACE = Space(("float32", "float16"), dict.fromkeys(NAMES, frozenset()))


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def search(total_s):
    clock = Clock()
    return Search(SPACE, total_s, clock, clock.now)


def screened(total_s, wall_s, cost=lambda _: 1.0):
    """Screen with processes that take `wall_s(config)` seconds each; return the search and the seconds it took."""
    found = search(total_s)
    for config in found.screening():
        found.clock.now += wall_s(config)
        found.record(config, (0.0, cost(config)), Spent(wall_s(config), latency_s=0.1))
    return found, found.clock() - 1000.0


def always(seconds):
    return lambda _: seconds


def slow_with(name, seconds):
    """Return the duration of a process: `seconds` with this optimization, 10 without."""
    return lambda config: seconds if name in config.optimizations else 10


def tried(total_s, *costs):
    """Return a search that has tried configurations at these costs, each of them in ten seconds."""
    found = search(total_s)
    for config, cost in costs:
        found.record(config, (0.0, cost), Spent(10, 0.1))
    return found


def measure_carefully(found):
    """Run the careful stage in exactly the estimated time; return its seconds and its passes."""
    configs, passes = found.final()
    began = found.clock()
    for _ in found.careful_passes(configs, passes):
        found.clock.now += found.pass_s(configs)
    return found.clock() - began, found.passes_done


def helps(config):
    """Return a cost that three optimizations reduce."""
    return prod(({"a": 0.5, "b": 0.8, "c": 0.9}.get(name, 1.0) for name in config.optimizations), start=1.0)


def test_with_enough_time_everything_is_screened():
    found, _ = screened(3600, always(10))
    assert {config.optimizations for config in found.scores} >= {(name,) for name in NAMES}


@pytest.mark.parametrize("total_s", [60, 120, 200, 300, 600])
def test_both_stages_together_keep_to_the_budget(total_s):
    found, spent_s = screened(total_s, always(7))
    assert spent_s + measure_carefully(found)[0] <= total_s


@pytest.mark.parametrize("total_s", [300, 600])
def test_time_is_left_for_passes_that_give_an_interval(total_s):
    found, _ = screened(total_s, always(7))
    assert measure_carefully(found)[1] == PASSES


def test_with_little_time_screening_takes_at_most_half_of_it():
    _, spent_s = screened(100, always(10))
    assert 10 < spent_s <= 50


def test_what_is_expected_not_to_fit_is_not_started():
    found, _ = screened(400, lambda config: 150 if config.dtype == "float16" else 10)
    assert list(found.scores) == [Config("float32"), Config("float16")]


def test_what_takes_too_long_is_dropped():
    found, _ = screened(950, slow_with("a", 200), helps)
    assert Config("float16", ("a", "b")) in found.dropped


def test_what_fits_is_tried_although_something_better_was_dropped():
    found, _ = screened(950, slow_with("a", 200), helps)
    assert found.scores[Config("float16", ("b", "c"))] == (0.0, pytest.approx(0.72))


def test_combinations_that_take_too_long_are_left_out_by_name():
    found, _ = screened(950, slow_with("a", 200), helps)
    assert found.left_out() == [config.name for config in found.dropped]


def test_if_nothing_could_be_combined_the_helpful_optimizations_are_named():
    found = search(1000)
    for config in found.screening():
        found.clock.now += 800 if config.optimizations == NAMES[-1:] else 10
        found.record(config, (0.0, helps(config)), Spent(10, latency_s=0.1))
    assert found.uncombined() == ["a", "b", "c"]


def test_if_nothing_could_be_combined_the_combinations_are_not_listed_one_by_one():
    found = tried(1000, (Config("float32"), 2.0), *((Config("float32", (name,)), 1.0) for name in NAMES))
    found.drop(Config("float32", ("a", "b")))
    assert found.left_out() == ["float16"]


def test_if_one_optimization_helps_no_combination_is_missing():
    found, _ = screened(3600, always(10), lambda config: 0.5 if "a" in config.optimizations else 1.0)
    assert found.uncombined() == []


def test_names_in_nothing_that_was_tried_are_listed_alone():
    found, _ = screened(100, always(10))
    assert found.left_out() == untried(SPACE, found.scores) != []


def test_the_reference_may_take_all_the_time():
    assert search(100).try_limit_s() == 100 - 2 * OVERHEAD_S


def test_after_a_reference_that_took_all_the_time_nothing_is_started():
    found, started = search(6), []
    for config in found.screening():
        started.append(config)
        found.clock.now += found.try_limit_s()
        found.drop(config)
    assert started == [Config("float32")]
    assert found.out_of_time()


def test_without_time_for_any_process_not_even_the_reference_is_started():
    found = search(6)
    found.clock.now += 3 - SHORTEST_S / 2
    assert next(found.screening(), None) is None
    assert found.out_of_time()


def test_after_a_reference_that_failed_at_once_the_search_continues():
    found, started = search(600), []
    for config in found.screening():
        started.append(config)
        found.clock.now += 5
        found.record(config, None, None)
    assert len(started) == len(SPACE.dtypes) + len(NAMES)
    assert not found.out_of_time()


def test_what_was_cut_short_is_not_tried_again():
    cut, started = Config("float32", ("a",)), []
    found = tried(3600, (Config("float32"), 1.0), (Config("float16"), 2.0))
    for config in found.screening():
        started.append(config)
        found.drop(config) if config == cut else found.record(config, (0.0, 1.0), Spent(10, 0.1))
    assert started.count(cut) == 1
    assert untried(SPACE, found.scores) == ["a"]


def test_a_later_try_may_take_a_quarter_of_the_budget():
    assert tried(1000, (Config("float32"), 1.0)).try_limit_s() == 250


def test_a_careful_process_is_estimated_from_its_screening():
    assert Spent(10, 2).careful_s() == (10 + 2 * (CAREFUL_SAMPLES - SCREENING_SAMPLES)) * MARGIN


def test_the_reference_is_the_first_to_be_measured_carefully():
    found, _ = screened(3600, always(10), lambda config: 1.0 if config.dtype == "float32" else 1 / len(config.name))
    assert found.final()[0][0] == Config("float32")


def test_with_less_time_fewer_finalists_are_preferred_to_fewer_passes():
    reference, half, best = Config("float32"), Config("float16"), Config("float16", ("a",))
    found = tried(1000, (reference, 2.0), (half, 1.0), (best, 0.5))
    found.clock.now += 1000 - OVERHEAD_S - found.pass_s([reference, half]) * PASSES
    assert found.final() == ([reference, best], PASSES)


def test_without_time_nothing_is_measured_carefully():
    found = tried(100, (Config("float32"), 1.0), (Config("float16"), 0.5))
    found.clock.now += 99
    assert found.final() == ([], 0)
    assert found.ties()


@pytest.mark.parametrize(("took_s", "done"), [(1, PASSES), (40, 2), (100, 1)])
def test_a_pass_that_took_longer_than_expected_is_the_last_one_if_no_other_fits(took_s, done):
    found = tried(100, (Config("float32"), 1.0))
    for _ in found.careful_passes([Config("float32")], PASSES):
        found.clock.now += took_s
    assert found.passes_done == done


def test_the_reference_alone_is_not_measured_carefully():
    found = tried(1000, (Config("float32"), 1.0), (Config("float32", ("a",)), 2.0))
    assert found.final() == ([], 0)
    assert not found.ties()


def test_what_was_not_measured_is_not_a_finalist():
    found = tried(1000, (Config("float32"), 1.0), (Config("float16"), 0.5))
    found.record(Config("float16", ("a",)), None, None)
    assert found.final()[0] == [Config("float32"), Config("float16")]
