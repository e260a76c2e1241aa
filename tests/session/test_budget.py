"""A search in time, on a clock that only the fakes move."""

from math import prod

import pytest

from bench.session.budget import (
    CAREFUL_SAMPLES,
    MARGIN,
    OVERHEAD_S,
    ROUNDS,
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


def search(total_s, clock=None):
    clock = clock or Clock()
    return Search(SPACE, total_s, clock, clock.now)


def screened(total_s, wall_s, cost=lambda _: 1.0):
    """Screen with processes that take `wall_s` each; return the search and how many seconds it took."""
    clock = Clock()
    found = search(total_s, clock)
    for config in found.screening():
        clock.now += wall_s(config) if callable(wall_s) else wall_s
        found.take(config, (0.0, cost(config)), Spent(wall_s(config) if callable(wall_s) else wall_s, latency_s=0.1))
    return found, clock.now - 1000.0


def careful(found):
    """Run the careful part as long as it is estimated; return the seconds of it and its whole rounds."""
    configs, rounds = found.final()
    begun, done = found.clock(), 0
    for _ in found.careful_rounds(configs, rounds):
        found.clock.now += found.round_s(configs)
        done += 1
    return found.clock() - begun, done


def test_with_time_enough_everything_is_screened():
    found, _ = screened(3600, 10)
    assert {config.optimizations for config in found.scores} >= {(name,) for name in NAMES}


@pytest.mark.parametrize("total_s", [60, 120, 200, 300, 600])
def test_both_parts_together_keep_the_budget(total_s):
    found, spent = screened(total_s, 7)
    assert spent + careful(found)[0] <= total_s


@pytest.mark.parametrize("total_s", [300, 600])
def test_time_is_left_for_rounds_with_an_interval(total_s):
    found, _ = screened(total_s, 7)
    assert careful(found)[1] == ROUNDS


def test_with_little_time_half_of_it_is_for_looking():
    found, spent = screened(100, 10)
    assert (len(found.scores) > 1, spent <= 50) == (True, True)


def test_nothing_is_started_that_takes_as_long_as_the_longest_and_does_not_fit():
    found, spent = screened(400, lambda config: 150 if config.dtype == "float16" else 10)
    assert (len(found.scores), spent) == (2, 160)


def test_what_takes_too_long_is_passed_over_for_what_fits():
    gains = {"a": 0.5, "b": 0.8, "c": 0.9}

    def cost(config):
        return prod((gains.get(name, 1.0) for name in config.optimizations), start=1.0)

    found, _ = screened(950, lambda config: 200 if "a" in config.optimizations else 10, cost)
    assert [name for config in found.passed_over for name in config.optimizations if name == "a"]
    assert found.scores[Config("float16", ("b", "c"))] == (0.0, pytest.approx(0.72))


def helps(config):
    """Return a cost that three optimizations make less."""
    return prod(({"a": 0.5, "b": 0.8, "c": 0.9}.get(name, 1.0) for name in config.optimizations), start=1.0)


def test_combinations_that_took_too_long_are_told():
    found, _ = screened(950, lambda config: 200 if "a" in config.optimizations else 10, helps)
    assert (found.uncombined(), found.left_out()) == ([], [config.name for config in found.passed_over])
    assert Config("float16", ("a", "b")).name in found.left_out()


def test_that_nothing_was_tried_together_is_told_instead_of_each_combination():
    clock = Clock()
    found = search(1000, clock)
    for config in found.screening():
        clock.now += 800 if config.optimizations == NAMES[-1:] else 10
        found.take(config, (0.0, helps(config)), Spent(10, latency_s=0.1))
    assert (found.uncombined(), found.left_out()) == (["a", "b", "c"], [])


def test_where_one_alone_helps_no_combination_is_missed():
    found, _ = screened(3600, 10, lambda config: 0.5 if "a" in config.optimizations else 1.0)
    assert (found.uncombined(), found.left_out()) == ([], [])


def test_what_is_in_nothing_that_was_tried_is_told_by_its_name_alone():
    found, _ = screened(100, 10)
    assert found.left_out() == untried(SPACE, found.scores) != []


def test_the_reference_may_take_all_the_time():
    assert search(100).try_limit_s() == 100 - 2 * OVERHEAD_S


def test_after_a_reference_that_took_all_the_time_nothing_is_started():
    clock = Clock()
    found, started = search(6, clock), []
    for config in found.screening():
        started.append(config)
        clock.now += found.try_limit_s()
        found.pass_over(config)
    assert (started, found.out_of_time(), found.scores) == ([Config("float32")], True, {})


def test_without_time_for_any_process_not_even_the_reference_is_started():
    clock = Clock()
    found = search(6, clock)
    clock.now += 3 - SHORTEST_S / 2
    assert (next(found.screening(), None), found.out_of_time()) == (None, True)


def test_after_a_reference_that_failed_at_once_the_search_goes_on():
    clock = Clock()
    found, started = search(600, clock), []
    for config in found.screening():
        started.append(config)
        clock.now += 5
        found.take(config, None, None)
    assert (len(started), found.out_of_time()) == (len(SPACE.dtypes) + len(NAMES), False)


def test_what_was_cut_short_is_neither_tried_again_nor_scored():
    clock = Clock()
    found, started = search(3600, clock), []
    for config in found.screening():
        started.append(config)
        if config.optimizations == ("a",):
            clock.now += found.try_limit_s()
            found.pass_over(config)
        else:
            clock.now += 10
            found.take(config, (0.0, 1.0), Spent(10, 0.1))
    cut = Config("float16", ("a",))
    assert (started.count(cut), cut in found.scores, untried(SPACE, found.scores)) == (1, False, ["a"])


def test_a_later_try_may_take_a_quarter_of_the_budget():
    found = search(1000)
    found.take(Config("float32"), (0.0, 1.0), Spent(1, 0.1))
    assert found.try_limit_s() == 250


def test_a_careful_process_is_estimated_from_its_screening():
    assert Spent(10, 2).careful_s() == (10 + 2 * (CAREFUL_SAMPLES - SCREENING_SAMPLES)) * MARGIN


def test_the_best_are_measured_with_care_after_the_reference():
    found, _ = screened(3600, 10, lambda config: 1.0 if config.dtype == "float32" else 1 / len(config.name))
    configs, rounds = found.final()
    assert (configs[0], len(configs), rounds) == (Config("float32"), 5, ROUNDS)


def test_with_less_time_fewer_finalists_come_before_fewer_rounds():
    clock = Clock()
    found = search(1000, clock)
    for config, cost in ((Config("float32"), 2.0), (Config("float16"), 1.0), (Config("float16", ("a",)), 0.5)):
        found.take(config, (0.0, cost), Spent(10, 0.1))
    clock.now += 1000 - OVERHEAD_S - found.round_s([Config("float32"), Config("float16")]) * ROUNDS
    assert found.final() == ([Config("float32"), Config("float16", ("a",))], ROUNDS)


def test_without_time_nothing_is_measured_with_care():
    clock = Clock()
    found = search(100, clock)
    found.take(Config("float32"), (0.0, 1.0), Spent(10, 0.1))
    found.take(Config("float16"), (0.0, 0.5), Spent(10, 0.1))
    clock.now += 99
    assert (found.final(), found.ties()) == (([], 0), True)


def test_a_round_that_took_longer_than_expected_is_the_last_that_fits_no_more():
    clock = Clock()
    found = search(100, clock)
    found.take(Config("float32"), (0.0, 1.0), Spent(1, 0.1))
    for _ in found.careful_rounds([Config("float32")], ROUNDS):
        clock.now += 40
    assert clock.now - 1000 == 80


@pytest.mark.parametrize(("took", "done"), [(1, ROUNDS), (40, 2), (100, 1)])
def test_rounds_that_were_measured_are_counted(took, done):
    clock = Clock()
    found = search(100, clock)
    found.take(Config("float32"), (0.0, 1.0), Spent(1, 0.1))
    for _ in found.careful_rounds([Config("float32")], ROUNDS):
        clock.now += took
    assert found.rounds_done == done


def test_the_reference_alone_is_not_measured_with_care():
    found = search(1000)
    found.take(Config("float32"), (0.0, 1.0), Spent(1, 0.1))
    found.take(Config("float32", ("a",)), (0.0, 2.0), Spent(1, 0.1))
    assert (found.final(), found.ties()) == (([], 0), False)


def test_what_was_not_measured_is_no_finalist():
    found = search(1000)
    found.take(Config("float32"), (0.0, 1.0), Spent(1, 0.1))
    found.take(Config("float16"), (0.0, 0.5), Spent(1, 0.1))
    found.take(Config("float16", ("a",)), None, None)
    assert found.final()[0] == [Config("float32"), Config("float16")]
