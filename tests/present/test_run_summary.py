"""The five lines that a run ends with."""

import os
import sys

import pytest
from analyze.make import A100, case, ended, make_run, measured

from bench.analyze.results import results
from bench.present import run_summary, words
from bench.records.outcomes import Tiny


@pytest.fixture
def lines_of(tmp_path):
    """Return the five lines of a run with these cases and records."""

    def lines(cases, records):
        run = make_run(tmp_path / "run", cases, records)
        return run_summary.lines(run, results(run), 7)

    return lines


BASE = measured("baseline", 2.0)
FAST = case("fp16", dtype="float16", claim={"speedup": 1.5})


def test_there_are_five_lines(lines_of):
    assert len(lines_of([case(), FAST], [BASE, measured("fp16", 1.0)])) == 5


def test_the_first_line_says_how_many_cases_ended_how_on_what(lines_of):
    lines = lines_of([case(), FAST], [BASE, ended("fp16", "oom")])
    assert lines[0] == f"2 cases on {A100}: 1 ok, 1 oom."


def test_the_fastest_case_is_named_with_its_speed_up(lines_of):
    assert lines_of([case(), FAST], [BASE, measured("fp16", 1.0)])[1] == "Fastest: sd/fp16 x2.00."


def test_a_run_without_a_gain_says_so(lines_of):
    assert (
        lines_of([case(), FAST], [BASE, measured("fp16", 3.0)])[1] == "Fastest: no case was faster than its baseline."
    )


def test_a_gain_of_another_image_is_marked(lines_of):
    cases = [case(), case("fast", scheduler="DDIMScheduler")]
    assert lines_of(cases, [BASE, measured("fast", 1.0)])[1] == "Fastest: sd/fast x2.00 (a different image by design)."


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([BASE, measured("fp16", 1.95)], "no gain with the same image"),
        ([ended("baseline", "oom"), measured("fp16", 1.0)], "there is nothing to compare"),
        ([BASE], "there is nothing to compare"),
    ],
)
def test_that_nothing_is_faster_is_only_said_where_it_is_so(lines_of, outcomes, words):
    assert lines_of([case(), FAST], outcomes)[1].startswith(f"Fastest: {words}")


def test_scenarios_without_documented_figures_say_so(lines_of):
    assert lines_of([case()], [BASE])[2] == "Documented figures: these scenarios have none."


@pytest.mark.parametrize(("shells", "command"), [(sys.executable, "python"), ("/usr/bin/python", None), (None, None)])
def test_the_commands_can_be_copied(lines_of, monkeypatch, tmp_path, shells, command):
    monkeypatch.setattr("shutil.which", lambda _: shells)
    last = lines_of([case()], [BASE])[4]
    assert last.endswith(f"{command or os.path.relpath(sys.executable)} -m bench recommend {tmp_path}/run")


def test_documented_figures_are_counted_by_verdict(lines_of):
    assert lines_of([case(), FAST], [BASE, measured("fp16", 1.33)])[2] == "Documented figures: 1 as documented."


def test_nothing_is_judged_by_tiny_models(lines_of):
    tiny = [measured("baseline", 2.0, size="tiny"), measured("fp16", 1.0, size="tiny")]
    lines = lines_of([case(), FAST], tiny)
    assert lines[0].endswith(words.TINY_WARNINGS[Tiny.ALL])
    assert lines[2] == "Documented figures: not judged by tiny models."


def test_what_is_odd_is_named_by_kind(lines_of):
    odd = measured("fp16", 1.0, remarks="host-bound:0.6")
    assert lines_of([case(), FAST], [BASE, odd])[3] == "To look at: host-bound (1); tables.md names the cases."


def test_a_skipped_case_is_nothing_to_look_at(lines_of):
    assert lines_of([case(), FAST], [BASE, ended("fp16", "skipped", "no")])[3] == "To look at: nothing."


def test_the_last_line_says_where_the_files_are(lines_of, tmp_path):
    assert lines_of([case()], [BASE])[4].startswith(f"Files: {tmp_path}/run/ (tables.md, results.csv, 7 plots)")


def test_a_run_without_a_row_has_its_lines_too(lines_of):
    assert lines_of([case()], [])[0].endswith("none.")
