"""How a run ends, without a server."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from session.test_live import FACTS, Client, cases, fails, jobs_of, live_run, stops, stops_while_diagnosing
from support import rows

from bench.errors import InputError
from bench.plan.case import Plan, ScenarioInfo
from bench.plan.settings import RunSettings
from bench.records.outcomes import Status
from bench.records.store import PLAN, RESULTS, SAMPLES, Store
from bench.session import measure
from bench.session.devices import Choice
from bench.session.live import LiveRun, Machine
from bench.session.progress import Notices
from bench.session.request import Ending, RunRequest


@pytest.fixture
def ended(tmp_path):
    """Measure two cases, of which some may have their own events; return the outcome."""

    def run(**events):
        with live_run(tmp_path, "a", "b", client=Client(**events)) as live:
            return measure._measure(Client(), live, jobs_of(live), Notices())  # tiny models need no rates

    return run


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that is full after one record."""
    append, written = Store.append, []

    def append_once(store, record):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(record)
        append(store, record)

    monkeypatch.setattr(Store, "append", append_once)


def test_a_run_without_faults_is_complete(ended):
    assert ended().ending is Ending.COMPLETE


def test_a_failed_case_is_a_fault(ended):
    assert ended(a=fails()).ending is Ending.FAULTS


def test_a_picture_that_an_optimization_changed_is_a_fault(tmp_path):
    plain, other = cases("a", "b")
    plan = Plan((ScenarioInfo("s", "title"),), (plain, replace(other, optimizations=("fuse_qkv",))))
    with LiveRun(tmp_path, plan, RunSettings("cpu", "tiny"), Machine(Client(), FACTS)) as live:
        (tmp_path / "images" / "s").mkdir(parents=True)
        for name, color in (("a", "black"), ("b", "white")):
            Image.new("RGB", (32, 32), color).save(tmp_path / "images" / "s" / f"{name}-0.png")
        outcome = measure._measure(Client(), live, jobs_of(live), Notices(quiet=True))
    assert [result.status for result in outcome.results] == [Status.OK, Status.DIFFERS]
    assert outcome.ending is Ending.FAULTS


def test_a_run_that_is_stopped_was_interrupted(ended):
    assert ended(b=stops()).ending is Ending.INTERRUPTED


def test_a_run_that_is_stopped_while_it_diagnoses_its_last_case_was_interrupted(ended):
    assert ended(b=stops_while_diagnosing()).ending is Ending.INTERRUPTED


@pytest.mark.parametrize("change", [{"cases": [1]}, {"cases": 1}, {"scenarios": [7]}, {"run": None}, {"run": {"x": 1}}])
def test_a_run_whose_plan_is_damaged_is_not_continued(tmp_path, change):
    with live_run(tmp_path, "a"):
        plan = json.loads((tmp_path / PLAN).read_text(encoding="utf-8"))
    (tmp_path / PLAN).write_text(json.dumps(plan | change), encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.json: is not a plan of this version"):
        measure._open(None, Choice(), RunRequest(output=tmp_path, resume=True), Notices())


@pytest.mark.parametrize(("name", "count"), [(SAMPLES, 3), (RESULTS, 1)])
def test_the_derived_files_are_written_even_if_a_run_is_stopped(ended, tmp_path, name, count):
    ended(b=stops())
    assert [row["case"] for row in rows(tmp_path / name)].count("a") == count


@pytest.mark.parametrize("name", ["tables.md", "plots"])
def test_tables_or_plots_that_cannot_be_written_end_a_run_so(ended, tmp_path, capsys, name):
    outcome = ended()
    path = tmp_path / name
    path.write_text("in the way") if name == "plots" else path.mkdir()
    assert measure.write_tables_and_plots(outcome, Notices())[0].ending is Ending.NOT_WRITTEN
    assert capsys.readouterr().err.startswith("stopped: cannot write the results (")


def test_a_full_disk_ends_a_run(ended, full_disk):
    assert ended().ending is Ending.NOT_WRITTEN


def test_what_was_measured_before_a_full_disk_can_still_be_shown(ended, full_disk):
    assert [result.case for result in ended().results] == ["a"]


def test_a_full_disk_is_said_with_what_to_do(ended, full_disk, capsys):
    ended()
    assert capsys.readouterr().err == (
        "stopped: cannot write the results ([Errno 28] No space left on device); free some space, then continue with "
        "--resume\n"
    )


@pytest.mark.parametrize(("device", "lines"), [("cpu", 1), ("cuda", 0)])
def test_a_memory_trace_that_the_device_does_not_have_is_named_once(capsys, device, lines):
    settings = RunSettings(device, "full", "random", memory_trace=True)
    measure.announce("a card", Path("run"), settings, [], {"started_by": "fork"}, Notices())
    assert "".join(capsys.readouterr()).count("--memory-trace: torch keeps no history of memory") == lines


SLICE = {"device_name": "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "started_by": "fork"}


def announced(capsys, facts):
    measure.announce("a card", Path("run"), RunSettings("cuda", "full", weights="random"), [], facts, Notices())
    return " ".join(capsys.readouterr().out.split())


def test_a_slice_is_said_before_the_run_with_what_is_unknown_of_it(capsys):
    said = announced(capsys, SLICE)
    assert "MIG 1g.5gb is a MIG slice: only this part of the card is measured." in said
    assert "no figures for power and energy" in said


@pytest.mark.parametrize(("started_by", "why"), [("fork", False), ("spawn", True)])
def test_why_the_processes_of_a_slice_are_spawned_is_said_if_they_are(capsys, started_by, why):
    assert ("NVML does not answer that for a slice" in announced(capsys, {**SLICE, "started_by": started_by})) == why


def test_a_whole_card_is_not_called_a_slice(capsys):
    assert "slice" not in announced(capsys, {"device_name": "NVIDIA A100", "started_by": "spawn"})
