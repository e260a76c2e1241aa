"""Folders that do not outlive their process."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support import environment

from bench import scratch

KILLED = """\
import os, signal
from bench.scratch import temporary_folder
with temporary_folder() as folder:
    (folder / "weights").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """Make the test's folder the system's temporary folder and return this user's folder in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return scratch.user_folder()


def test_a_temporary_folder_is_removed_at_the_end(own):
    with scratch.temporary_folder() as folder:
        (folder / "weights").touch()
    assert list(own.iterdir()) == []


def test_the_folder_of_a_killed_process_is_removed(own):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], env=environment(TMPDIR=tempfile.gettempdir()), check=False
    ).returncode
    assert killed == -signal.SIGKILL
    assert [folder.name for folder in own.iterdir() if folder.is_dir()] != []
    scratch.remove_abandoned()
    assert list(own.iterdir()) == []


def test_the_folder_of_a_running_process_is_kept():
    with scratch.temporary_folder() as folder:
        subprocess.run(
            [sys.executable, "-c", "from bench.scratch import remove_abandoned; remove_abandoned()"],
            env=environment(TMPDIR=tempfile.gettempdir()), check=True,
        )  # fmt: skip
        assert folder.is_dir()


def test_a_name_that_somebody_else_has_taken_is_refused_with_a_remedy(own):
    own.rmdir()
    own.touch()
    with pytest.raises(OSError, match="set TMPDIR to another"), scratch.temporary_folder():
        pass


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no folder in memory here")  # noqa: S108 - only looked at
def test_a_folder_in_memory_is_known_as_such():
    assert scratch.is_in_memory(Path("/dev/shm"))  # noqa: S108 - as above


def test_a_folder_in_memory_has_no_more_room_than_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "is_in_memory", lambda _folder: True)
    monkeypatch.setattr(scratch.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    assert scratch.room_bytes(tmp_path) == 1000
