import os
import sys
from pathlib import Path

import pytest
from analyze.make import FACTS, case, ended, make_run, measured

from bench.analyze.results import results
from bench.present import run_summary


@pytest.fixture
def told(tmp_path):
    """Return the five lines of a run with these cases and outcomes."""

    def tell(cases, outcomes):
        run = make_run(tmp_path / "run", cases, outcomes)
        return run_summary.lines(Path("results/mine"), results(run), run.environment, 7)

    return tell


BASE = measured("baseline", 2.0)
FAST = case("fp16", dtype="float16", claim={"speedup": 1.5})


def test_there_are_five_lines(told):
    assert len(told([case(), FAST], [BASE, measured("fp16", 1.0)])) == 5


def test_the_first_line_says_how_many_cases_ended_how_on_what(told):
    lines = told([case(), FAST], [BASE, ended("fp16", "oom")])
    assert lines[0] == f"2 cases on {FACTS.get('device_name')}: 1 ok, 1 oom."


def test_the_fastest_case_is_named_with_its_speed_up(told):
    assert told([case(), FAST], [BASE, measured("fp16", 1.0)])[1] == "Fastest: sd/fp16 x2.00."


def test_a_run_without_a_gain_says_so(told):
    assert told([case(), FAST], [BASE, measured("fp16", 3.0)])[1] == "Fastest: no case was faster than its baseline."


def test_a_gain_of_another_image_is_marked(told):
    cases = [case(), case("fast", scheduler="DDIMScheduler")]
    assert told(cases, [BASE, measured("fast", 1.0)])[1] == "Fastest: sd/fast x2.00 (another image by design)."


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([BASE, measured("fp16", 1.95)], "no gain of the same image is shown"),
        ([ended("baseline", "oom"), measured("fp16", 1.0)], "there is nothing to compare"),
        ([BASE], "there is nothing to compare"),
    ],
)
def test_that_nothing_is_faster_is_only_said_where_it_is_so(told, outcomes, words):
    assert told([case(), FAST], outcomes)[1].startswith(f"Fastest: {words}")


def test_scenarios_without_documented_figures_say_so(told):
    assert told([case()], [BASE])[2] == "Documented figures: these scenarios have none."


@pytest.mark.parametrize(("shells", "command"), [(sys.executable, "python"), ("/usr/bin/python", None), (None, None)])
def test_the_commands_can_be_copied(told, monkeypatch, shells, command):
    monkeypatch.setattr("shutil.which", lambda _: shells)
    last = told([case()], [BASE])[4]
    assert last.endswith(f"{command or os.path.relpath(sys.executable)} -m bench recommend results/mine")


def test_documented_figures_are_counted_by_verdict(told):
    assert told([case(), FAST], [BASE, measured("fp16", 1.33)])[2] == "Documented figures: 1 as documented."


def test_toys_are_held_against_nothing(told):
    toys = [measured("baseline", 2.0, size="tiny"), measured("fp16", 1.0, size="tiny")]
    lines = told([case(), FAST], toys)
    assert "tiny twins" in lines[0]
    assert lines[2] == "Documented figures: not held against toys."


def test_what_is_odd_is_named_by_kind(told):
    odd = measured("fp16", 1.0, remarks="host-bound: the device waits")
    assert told([case(), FAST], [BASE, odd])[3] == "To look at: host-bound (1); tables.md names the cases."


def test_a_skipped_case_is_nothing_to_look_at(told):
    assert told([case(), FAST], [BASE, ended("fp16", "skipped", "no")])[3] == "To look at: nothing."


def test_the_last_line_says_where_the_files_are(told):
    assert told([case()], [BASE])[4].startswith("Files: results/mine/ (tables.md, results.csv, 7 plots)")


def test_a_run_without_a_row_has_its_lines_too(told):
    assert told([case()], [])[0].endswith("none.")
