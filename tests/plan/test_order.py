"""The order of measuring, with processes and after an interruption."""

from bench.plan.case import Case
from bench.plan.order import remaining, rounds

CASES = [Case("s", name, "m") for name in "abc"]


def written(jobs):
    return " ".join(f"{job.case.name}{job.process}" for job in jobs)


def done(text, **measured):
    """Read `a0 b0` as finished and measured; `c=False` says that c could not be."""
    return {(f"s/{word[0]}", int(word[1:])): measured.get(word[0], True) for word in text.split()}


def test_rounds_run_forwards_and_backwards_in_turn():
    assert written(rounds(CASES, range(4))) == "a0 b0 c0 c1 b1 a1 a2 b2 c2 c3 b3 a3"


def test_without_replicates_every_case_is_measured_once():
    assert written(remaining(CASES, 1, {})) == "a0 b0 c0"


def test_without_replicates_what_is_done_is_left_out():
    assert written(remaining(CASES, 1, done("a0 b0", b=False))) == "c0"


def test_a_finished_run_needs_nothing():
    assert written(remaining(CASES, 2, done("a0 b0 c0 c1 b1 a1"))) == ""


def test_an_interrupted_round_is_not_gone_on_with_and_one_is_added():
    assert written(remaining(CASES, 2, done("a0 b0 c0 c1"))) == "a2 b2 c2"


def test_an_interrupted_first_round_is_made_up_for_too():
    assert written(remaining(CASES, 2, done("a0"))) == "c1 b1 a1 a2 b2 c2"


def test_a_case_that_could_not_be_measured_is_not_tried_again():
    assert written(remaining(CASES, 2, done("a0 b0 c0", b=False))) == "c1 a1"


def test_a_case_given_up_does_not_make_its_rounds_look_interrupted():
    assert written(remaining(CASES, 2, done("a0 b0 c0 c1 a1", b=False))) == ""
