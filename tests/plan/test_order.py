"""The order of measuring, in several passes and after an interruption."""

from bench.plan.case import Case
from bench.plan.order import passes, remaining

CASES = [Case("s", name, "m") for name in "abc"]


def written(jobs):
    return " ".join(f"{job.case.name}{job.process}" for job in jobs)


def done(text, **measured):
    """Read `a0 b0` as finished and measured; `c=False` means that c could not be measured."""
    return {(f"s/{word[0]}", int(word[1:])): measured.get(word[0], True) for word in text.split()}


def test_passes_alternate_between_forward_and_backward():
    assert written(passes(CASES, range(4))) == "a0 b0 c0 c1 b1 a1 a2 b2 c2 c3 b3 a3"


def test_one_process_per_case_measures_every_case_once():
    assert written(remaining(CASES, 1, {})) == "a0 b0 c0"


def test_one_process_per_case_skips_what_is_done():
    assert written(remaining(CASES, 1, done("a0 b0", b=False))) == "c0"


def test_nothing_remains_of_a_finished_run():
    assert written(remaining(CASES, 2, done("a0 b0 c0 c1 b1 a1"))) == ""


def test_an_interrupted_pass_is_replaced_and_not_continued():
    assert written(remaining(CASES, 2, done("a0 b0 c0 c1"))) == "a2 b2 c2"


def test_an_interrupted_first_pass_is_replaced_too():
    assert written(remaining(CASES, 2, done("a0"))) == "c1 b1 a1 a2 b2 c2"


def test_a_case_that_could_not_be_measured_is_not_tried_again():
    assert written(remaining(CASES, 2, done("a0 b0 c0", b=False))) == "c1 a1"


def test_a_case_that_could_not_be_measured_does_not_make_its_passes_look_interrupted():
    assert written(remaining(CASES, 2, done("a0 b0 c0 c1 a1", b=False))) == ""
