"""What many tests share. Expensive things are made once per session: the fork server, one small run."""

import os
from functools import partial

import pytest
from support import SCENARIO, bench

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test asks the hub
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # so that tests may fork after importing diffusers


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture
def write(tmp_path):
    """Write a file below the test's folder and return its path."""

    def write_file(text, name="scenario.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The folder of a small finished run on the CPU, and the process that made it. Read it only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    process = bench("run", "small.yaml", "--device", "cpu", "--output", "run", cwd=folder)
    assert process.returncode == 0, process.stderr
    return folder / "run", process


@pytest.fixture(scope="session")
def client():
    """The client of a fork server that has the libraries imported."""
    from bench.execute.client import WorkerClient

    with WorkerClient() as running:
        yield running


@pytest.fixture(scope="session")
def saved_pipeline(tmp_path_factory):
    """The folder of a small pipeline that diffusers itself made and saved; nothing of this project is in it."""
    import small

    folder = tmp_path_factory.mktemp("saved") / "pipeline"
    small.sd().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def zoo_folder(tmp_path_factory):
    """Return the folder of the small pipeline of a class, saved once for all workers of a session. Read it only."""
    import zoo

    root = tmp_path_factory.getbasetemp()
    shared = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "zoo"
    shared.mkdir(exist_ok=True)
    return partial(zoo.saved, root=shared)
