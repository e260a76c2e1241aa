"""A forecast in words."""

import pytest

from bench.present import forecast
from bench.records.environment import Forecasted, Span

SPAN = Span(20 * 60, 40 * 60, 100 * 60)


def test_an_announcement_has_cases_processes_and_a_range():
    assert forecast.announcement(86, 344, SPAN) == (
        "86 cases, 344 processes. Estimated time: about 40 min (20 min to 1 h 40 min)."
    )


def test_an_announcement_says_what_is_unknown():
    assert forecast.announcement(1, 1, None) == "1 case, 1 process. How long they will take is unknown."


def test_an_announcement_says_how_many_cases_are_guessed():
    assert "2 cases of unknown length taken to be like the others" in forecast.announcement(3, 3, SPAN, 2)


@pytest.mark.parametrize(
    ("took_s", "words"),
    [(3600, "50 % longer than that"), (1800, "25 % less than that"), (2401, "as long")],
)
def test_the_end_says_how_far_off_the_estimate_was(took_s, words):
    assert forecast.accuracy(Forecasted(3, SPAN, took_s)).endswith(f"so it took {words}.")


def test_downloads_have_their_sizes():
    assert forecast.downloads({"a/b": 2 * 1024**3}) == "Fetching from the hub: a/b (2.00 GiB)"


def test_an_unknown_size_makes_the_total_a_lower_bound():
    assert forecast.downloads({"a": 1024**3, "b": 1024**3, "c": None}).endswith(
        "c (size unknown); at least 2.00 GiB in all"
    )
