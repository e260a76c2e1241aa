"""What must be true of every test here: it does not fill the memory, and touches nothing outside its own folder."""

import atexit
import os
import resource
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from bench.pipelines import diffusers_api

HOME = tempfile.TemporaryDirectory(prefix="hypothesis-")
"""What hypothesis itself writes, which is not for the checkout."""
set_hypothesis_home_dir(HOME.name)
atexit.register(HOME.cleanup)
MOST_MEMORY = 500 * 1024**2
"""Bytes by which the process may grow over all examples of a test."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate"}
REACHES = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "socket.getaddrinfo"}


class Watch:
    """An audit hook that records what is written outside a folder, which programs start, and what is connected to."""

    def __init__(self):
        self.folder, self.found = None, []

    def __call__(self, event, arguments):
        if self.folder is None:
            return
        if event in REACHES or (self._writes(event, arguments) and not self._inside(arguments[0])):
            self.found.append((event, str(arguments[:2])))

    def _writes(self, event, arguments):
        return event in CHANGES or (event == "open" and bool(arguments[2] & WRITING))

    def _inside(self, path):
        if isinstance(path, int):  # a descriptor that is open already
            return True
        where = Path(os.path.realpath(os.fsdecode(path)))
        ours = where.is_relative_to(self.folder) or where.is_relative_to(os.path.realpath(HOME.name))
        return ours or "__pycache__" in where.parts or where == Path(os.devnull)


@pytest.fixture(scope="session")
def watch():
    """Return the one hook of this process; Python has no way to remove one."""
    made = Watch()
    sys.addaudithook(made)
    return made


@pytest.fixture(scope="session")
def libraries():
    """Import what a question imports, which is hundreds of megabytes, and matplotlib, which makes its own folder."""
    import matplotlib.pyplot  # noqa: F401, ICN001 - only the import counts

    diffusers_api.compatible_schedulers("stable-diffusion-v1-5")


@pytest.fixture(autouse=True)
def bounded(libraries):
    """Assert that a test does not fill the memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < MOST_MEMORY


@pytest.fixture(autouse=True)
def confined(libraries, watch, tmp_path_factory):
    """Assert that a test writes into its temporary folder only, starts no program and connects to nothing."""
    watch.folder, watch.found = tmp_path_factory.getbasetemp().resolve(), []
    yield
    watch.folder = None
    assert watch.found == []


@pytest.fixture(scope="session")
def vocabulary():
    return diffusers_api.vocabulary()
