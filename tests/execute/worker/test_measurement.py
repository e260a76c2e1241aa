"""What the samples of a process say about how it ended."""

import gc
import os
import subprocess
import sys
import tempfile
import weakref

import pytest

from bench.execute.worker import measurement
from bench.execute.worker.measurement import _peak_reported, outcome_of
from bench.execute.worker.protocol import Reporter
from bench.measure.clock import Timing
from bench.measure.memory import Memory
from bench.measure.sampling import Sampled
from bench.plan.settings import RunSettings
from bench.records.outcomes import RemarkKind, Status

ONE = [Timing(1.0, None)]


@pytest.mark.parametrize(
    ("sampled", "recompilations", "status", "reason"),
    [
        (Sampled(ONE, steady=True), 0, Status.OK, ""),
        (Sampled(ONE, steady=None), 0, Status.OK, ""),
        (Sampled(ONE, steady=False), 0, Status.UNSTABLE, "samples drift"),
        (Sampled(ONE, steady=True), 2, Status.UNSTABLE, "2 graphs were compiled"),
        (Sampled(ONE * 6, steady=True, throttled="power brake"), 0, Status.UNSTABLE, "kept: power brake"),
    ],
)
def test_an_outcome_is_unstable_only_for_a_reason(sampled, recompilations, status, reason):
    found, said = outcome_of(sampled, recompilations)
    assert found is status
    assert reason in said


def test_what_loading_left_in_cycles_is_gone_before_the_peak_is_reset():
    alive = []

    class Watched(Memory):
        def reset(self):
            alive.append(leftover())

    cycle = Sampled()
    cycle.itself = cycle
    leftover = weakref.ref(cycle)
    gc.disable()
    try:
        del cycle
        with _peak_reported(Watched(), Reporter(os.open(os.devnull, os.O_WRONLY)), "peak_"):
            pass
    finally:
        gc.enable()
    assert alive == [None]


HOLD = """\
import sys
from filelock import FileLock
locks = [FileLock(path) for path in sys.argv[1:]]
for lock in locks:
    lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """The folder of the locks; no core is really taken."""
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system cannot pin a process")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "sched_setaffinity", lambda _pid, _cores: None)
    monkeypatch.setattr(measurement, "_LOCKS", held := [])
    yield tmp_path / f"diffusion-bench-{os.getuid()}"
    for lock in held:
        lock.release()


def files_of(folder):
    return [folder / f"core-{core}.lock" for core in os.sched_getaffinity(0)]


def test_a_free_core_is_taken(locks):
    assert measurement._pin(RunSettings("cpu", "tiny")) in os.sched_getaffinity(0)


def test_cores_that_another_process_holds_are_left_to_it(locks):
    locks.mkdir(mode=0o700)
    command = [sys.executable, "-c", HOLD, *map(str, files_of(locks))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        said = holder.stdout.readline()
        core = measurement._pin(RunSettings("cpu", "tiny"))
        holder.stdin.close()
    assert said == "held\n"
    assert core is None


def test_a_folder_of_locks_that_is_a_link_is_not_used(locks, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    locks.symlink_to(tmp_path / "elsewhere")
    assert measurement._pin(RunSettings("cpu", "tiny")) is None
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_lock_that_is_a_link_is_not_written_through(locks, tmp_path):
    locks.mkdir(mode=0o700)
    (tmp_path / "victim").write_text("mine")
    for file in files_of(locks):
        file.symlink_to(tmp_path / "victim")
    measurement._pin(RunSettings("cpu", "tiny"))
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize(
    ("settings", "core", "kinds"),
    [
        (RunSettings("cpu", "tiny"), None, [RemarkKind.NOT_PINNED]),
        (RunSettings("cpu", "tiny"), 0, []),
        (RunSettings("cpu", "tiny", threads=2), None, []),
        (RunSettings("cuda", "full"), None, []),
    ],
)
def test_a_case_that_could_have_been_pinned_and_was_not_is_remarked(settings, core, kinds):
    assert [remark.kind for remark in measurement.not_pinned(settings, core)] == kinds
