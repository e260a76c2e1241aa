"""The few lines at the top of a report."""

from analyze.make import case, ended, make_run, measured

from bench.analyze.highlights import fastest, statuses, verdicts, warnings
from bench.analyze.results import results
from bench.analyze.rows import plain_rows

SAME = "the same image expected"


def rows(tmp_path, cases, outcomes):
    return plain_rows(results(make_run(tmp_path / "run", cases, outcomes)))


def compared(tmp_path, *others):
    """Return rows of cases with (name, seconds, psnr_db, similarity), beside a baseline of two seconds."""
    names = ["baseline", *(name for name, *_ in others)]
    outcomes = [measured("baseline", 2.0), *(measured(name, seconds) for name, seconds, *_ in others)]
    found = rows(tmp_path, map(case, names), outcomes)
    for row, (_, _, psnr_db, similarity) in zip(found[1:], others, strict=True):
        row |= {"psnr_db": psnr_db, "similarity": similarity}
    return found


def names(found):
    return [row["case"] for row in found]


def test_the_fastest_case_comes_first(tmp_path):
    found = compared(tmp_path, ("a", 1.5, 40.0, SAME), ("b", 1.0, 40.0, SAME))
    assert names(fastest(found)) == ["b"]


def test_the_fastest_that_makes_another_image_is_named_apart(tmp_path):
    found = compared(tmp_path, ("a", 1.5, 40.0, SAME), ("b", 1.0, 9.0, "another image by design: scheduler"))
    assert names(fastest(found)) == ["a", "b"]


def test_a_broken_image_is_no_speed_up(tmp_path):
    assert fastest(compared(tmp_path, ("a", 0.1, 9.0, SAME))) == []


def test_a_slower_case_is_no_speed_up(tmp_path):
    assert fastest(compared(tmp_path, ("a", 3.0, 40.0, SAME))) == []


def test_verdicts_are_counted_by_what_they_say_and_those_held_come_first(tmp_path):
    claims = [case(claim={"speedup": 1.0}), case("a", claim={"speedup": 2.0}), case("b", claim={"speedup": 2.0})]
    found = rows(tmp_path, claims, [measured("baseline", 2.0), measured("a", 1.0), measured("b", 1.0)])
    assert next(iter(verdicts(found).items())) == ("as documented", ["sd/a", "sd/b"])


def test_endings_are_counted(tmp_path):
    outcomes = [measured("baseline", 2.0), ended("a", "oom"), ended("b", "oom")]
    assert statuses(rows(tmp_path, map(case, ["baseline", "a", "b"]), outcomes)) == {"ok": 1, "oom": 2}


def test_a_case_without_figures_is_a_warning_with_its_reason(tmp_path):
    (found,) = warnings(rows(tmp_path, [case()], [ended("baseline", "oom", "CUDA out of memory")]))
    assert (found.kind, found.details) == ("oom", {"CUDA out of memory": ["sd/baseline"]})


def test_remarks_of_one_kind_stand_together(tmp_path):
    outcomes = [measured("baseline", 2.0, remarks="slow: a; odd"), measured("a", 2.0, remarks="slow: b")]
    found = warnings(rows(tmp_path, [case(), case("a")], outcomes))
    assert [(each.kind, each.cases) for each in found] == [("slow", 2), ("odd", 1)]


def test_a_case_that_ended_well_without_remarks_is_no_warning(tmp_path):
    assert warnings(rows(tmp_path, [case()], [measured("baseline", 2.0)])) == []


def test_a_gain_within_the_margin_of_one_process_is_none(tmp_path):
    assert fastest(compared(tmp_path, ("a", 1.95, 40.0, SAME))) == []


def test_a_gain_whose_interval_has_none_in_it_is_none(tmp_path):
    found = compared(tmp_path, ("a", 1.8, 40.0, SAME))
    found[1] |= {"speedup_low": 0.98, "speedup_high": 1.25}
    assert fastest(found) == []


def test_a_gain_that_was_still_changing_is_none(tmp_path):
    found = compared(tmp_path, ("a", 1.0, 40.0, SAME))
    found[1]["status"] = "unstable"
    assert fastest(found) == []
