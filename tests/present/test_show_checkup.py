"""What `doctor` prints: the answer, the problems with their remedies, and the machine."""

import json
import re
from dataclasses import replace

import pytest
from analyze.checkups import CARD, CPU_BUILD, FAILING, FAST, LEFT_OUT, SKIPPED, checkup, without_a_device
from analyze.test_judge_checkup import NOTED, PREVENTING

from bench.analyze.checkup import Problem
from bench.present import checkup as presented
from bench.present.problems import WORDS
from bench.records.cards import Cards
from bench.records.checkup import Hub
from bench.records.environment import Span
from bench.records.outcomes import Tiny

FOUND = {problem: found for found, problem in [*NOTED.values(), *PREVENTING.values()]}


@pytest.fixture
def printed(capsys, monkeypatch):
    """Return the lines that are printed on a terminal of a width."""

    def show(found, width=100):
        monkeypatch.setenv("COLUMNS", str(width))
        presented.show(found)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return show


def cells(grid):
    return [tuple(cell.text for cell in row) for row in grid.rows]


def row(grid, heading):
    return next(texts for texts in cells(grid) if texts[0] == heading)


def test_the_first_line_says_that_a_run_would_work_and_how_long_it_takes(printed):
    assert printed(checkup())[0] == "A run would work and take about 2 s (1 s to 3 s) on NVIDIA H200 (cuda)."


def test_the_first_line_says_if_the_time_is_unknown(printed):
    first = printed(checkup({"time": None}))[0]
    assert first == "A run would work on NVIDIA H200 (cuda); how long it would take is unknown."


def test_what_prevents_a_run_follows_the_first_line_with_its_remedy(printed):
    lines = printed(without_a_device(requested="xpu"))
    assert lines[:4] == [
        "A run would not work here.",
        "What prevents it:",
        "  The device 'xpu' cannot be used: the device is broken.",
        "      Choose another device, for example with --device cpu.",
    ]


def test_a_card_that_a_cpu_build_leaves_unused_is_said_loudly(printed):
    text = " ".join(" ".join(printed(checkup(facts=CPU_BUILD))).split())
    assert "THE GPU IS NOT USED: this machine has NVIDIA H200, but torch 2.13.0+cpu is a CPU build." in text


def test_the_remedy_for_a_cpu_build_is_the_same_torch_with_cuda():
    assert WORDS[Problem.CPU_BUILD](checkup(facts=CPU_BUILD))[1].endswith("-m pip install 'torch===2.13.0'`.")


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_is_a_sentence(problem):
    what, _ = WORDS[problem](FOUND[problem])
    assert re.fullmatch(r"[A-Z].*\.", what)


@pytest.mark.parametrize("problem", Problem)
def test_every_problem_has_a_remedy(problem):
    assert WORDS[problem](FOUND[problem])[1]


BUSY = replace(CARD, processes=2)


def test_a_busy_card_is_named_with_its_use():
    what, todo = WORDS[Problem.CARDS_BUSY](checkup(card=BUSY))
    assert what.startswith("Other programs use NVIDIA H200 (card 0): 2 processes, ")
    assert todo.startswith("nvidia-smi")


def test_beside_a_busy_card_an_idle_one_is_named_with_its_options():
    _, todo = WORDS[Problem.CARDS_BUSY](checkup(card=BUSY, idle=(2, 3)))
    assert todo == "Measure on cuda:2, which is idle, with --device auto or --device cuda:2."


@pytest.mark.parametrize(("started_by", "why"), [("fork", False), ("spawn", True)])
def test_a_slice_is_said_with_why_its_processes_are_spawned(started_by, why):
    found = checkup(card=replace(CARD, uuid="MIG-0"))
    what, _ = WORDS[Problem.SLICE](replace(found, facts={**found.facts, "started_by": started_by}))
    assert "no figures for power and energy" in what
    assert ("NVML does not answer that for a slice" in what) == why


def test_missing_libraries_are_to_be_installed():
    found = without_a_device(worker_failure="No module named 'torch'", missing_libraries=("torch", "accelerate"))
    assert WORDS[Problem.WORKER_FAILS](found)[1].endswith("-m pip install torch accelerate")


def test_the_summary_counts_what_would_be_measured():
    found = checkup({"cases": (FAST, SKIPPED, FAILING), "processes": 3, "samples": 6})
    assert presented.summary(found)[0] == "3 cases, of which 1 would be measured, 3 processes, 6 samples per process."


def test_the_summary_says_what_the_estimate_assumes():
    first = presented.summary(checkup({"unknown": 2}))[0]
    assert first.endswith("2 cases of unknown length taken to be like the others.")


@pytest.mark.parametrize(
    ("downloads", "line"),
    [
        ({}, "Nothing would be downloaded."),
        ({"a/b": 2 * 1024**3}, "To be fetched from the hub: a/b (2.00 GiB)."),
        ({"a/b": 1024**3, "c/d": None}, "To be fetched from the hub: a/b (1.00 GiB), c/d (size unknown)."),
    ],
)
def test_the_summary_says_what_would_be_downloaded(downloads, line):
    assert presented.summary(checkup({"downloads": downloads}))[1] == line


def test_the_summary_warns_of_tiny_models():
    assert presented.summary(checkup({"tiny": Tiny.ALL}))[2].startswith("TINY MODELS")


def test_a_scenario_has_its_cases_and_its_time():
    outlook = checkup({"cases": (FAST, replace(FAST, case="other"), SKIPPED, FAILING, LEFT_OUT)}).outlook
    assert cells(presented.scenarios(outlook)) == [("sd15", "5", "2", "1", "1", "1", "4 s")]


def test_columns_in_which_nothing_happens_are_left_out():
    assert presented.scenarios(checkup().outlook).header == ["scenario", "cases", "measured", "about"]


def test_a_case_of_unknown_length_makes_the_time_of_its_scenario_unknown():
    outlook = checkup({"cases": (FAST, replace(FAST, time=None))}).outlook
    assert cells(presented.scenarios(outlook))[0][-1] == "unknown"


def test_cases_with_the_same_reason_are_listed_together():
    outlook = checkup({"cases": (FAST, SKIPPED, replace(SKIPPED, case="combined"), LEFT_OUT)}).outlook
    assert cells(presented.not_measured(outlook)) == [
        ("sd15/tf32, sd15/combined", "skipped", "TF32 needs compute capability 8.0 or later"),
        ("sd15/slow", "left out", "the budget has no time for it"),
    ]


def test_there_is_no_table_of_what_is_not_measured_if_everything_is():
    assert presented.not_measured(checkup().outlook) is None


def test_a_card_is_shown_with_its_memory_and_its_users():
    cards = Cards([replace(CARD, processes=2, utilization=0.9)], "580.65.06", "13.0")
    shown = row(presented.here(checkup(cards=cards)), "card 0")[1]
    assert shown == "NVIDIA H200, 140.00 GiB, 1.00 GiB in use, 90% busy, 2 processes"


def test_a_hidden_card_is_shown_as_hidden():
    facts = {**CPU_BUILD, "variables": {"CUDA_VISIBLE_DEVICES": ""}}
    assert row(presented.here(checkup(facts=facts)), "card 0")[1].endswith("hidden by CUDA_VISIBLE_DEVICES")


def test_a_machine_without_torch_is_shown_without_it():
    facts = {"python": "3.12.1", "cpu": "AMD EPYC", "cpu_threads": 8, "variables": {}}
    shown = presented.here(without_a_device(facts=facts, worker_failure="no torch"))
    assert [heading for heading, _ in cells(shown)].count("torch") == 0


def test_offline_is_not_called_unreachable():
    assert "HF_HUB_OFFLINE" in row(presented.here(checkup(hub=Hub.OFFLINE)), "hub")[1]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(printed, width):
    found = checkup({"cases": (FAST, SKIPPED, FAILING), "downloads": {"a/b": None}}, facts=CPU_BUILD)
    assert max(map(len, printed(found, width))) <= width


@pytest.fixture(scope="module")
def data():
    return json.loads(presented.as_json(checkup({"cases": (FAST, SKIPPED)}, facts=CPU_BUILD)))


def test_json_says_whether_a_run_would_work(data):
    assert data["ready"] is True


def test_json_has_every_problem(data):
    assert [each["problem"] for each in data["problems"]] == ["cpu-build"]


def test_json_has_the_remedy_of_a_problem(data):
    assert "-m pip install" in data["problems"][0]["remedy"]


def test_json_has_the_time_of_every_case(data):
    assert Span(**data["outlook"]["cases"][0]["time"]) == FAST.time
