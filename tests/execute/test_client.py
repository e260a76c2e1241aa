"""Questions to a worker process: what only torch or diffusers knows."""

import sys
from dataclasses import replace

import pytest
from execute.make import CASE, TINY

from bench.errors import InputError
from bench.execute.client import ServerError, WorkerClient, ask_compatible
from bench.execute.events import ServerGoneError

pytestmark = pytest.mark.slow


def started_by(client):
    return client.ask({"op": "probe", "device": "cpu"})["started_by"]


def test_the_probe_names_the_device_and_the_versions(client):
    import torch

    answer = client.ask({"op": "probe", "device": "cpu"})
    assert answer["device"] == "cpu"
    assert answer["torch"] == torch.__version__


def test_a_device_that_is_not_here_is_named(client):
    with pytest.raises(ServerError, match="there is no xpu device here"):
        client.ask({"op": "probe", "device": "xpu"})


def test_a_device_that_is_not_here_is_no_reason_to_stop_forking(client):
    before = started_by(client)
    with pytest.raises(ServerError):
        client.ask({"op": "probe", "device": "xpu"})
    assert started_by(client) == before


def test_the_hub_is_not_asked_offline(client):
    assert client.ask({"op": "hub"}) is False


CASES = [replace(CASE, name="plain"), replace(CASE, name="tf32", optimizations=("tf32",))]


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [("plain", None), ("tf32", {"status": "skipped", "reason": "TF32 needs cuda, but this device is cpu"})],
)
def test_what_will_be_skipped_is_known_before_anything_is_built(client, name, obstacle):
    request = {"op": "obstacles", "run": TINY.to_json(), "cases": [case.to_json() for case in CASES]}
    assert client.ask(request)[f"test/{name}"] == obstacle


def test_a_case_that_will_be_skipped_is_no_work(client):
    request = {"op": "work", "run": TINY.to_json(), "cases": [case.to_json() for case in CASES]}
    assert client.ask(request)["test/tf32"]["parameters"] == 0


def test_compatible_schedulers_are_those_that_the_pipeline_lists(client):
    from diffusers import PNDMScheduler

    listed = ask_compatible(client, "stable-diffusion-v1-5")
    assert {cls.__name__ for cls in PNDMScheduler()._get_compatibles()} <= set(listed)


def test_a_model_without_schedulers_is_an_input_error(client):
    with pytest.raises(InputError, match="scheduler: compatible: 'compatible' failed: "):
        ask_compatible(client, "nobody/nothing")


def test_a_python_that_cannot_import_the_libraries_is_named_with_its_error(tmp_path, monkeypatch):
    (tmp_path / "diffusers.py").write_text("raise ImportError('diffusers is broken here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerClient() as client, pytest.raises(ServerError, match=r"the fork server ended: .*broken here"):
        client.ask({"op": "hub"})


def test_a_closed_client_is_not_running():
    with WorkerClient() as client:
        running = client.running
    assert running
    assert not client.running


def test_a_request_to_a_closed_client_says_that_its_server_is_gone():
    with WorkerClient() as client:
        pass
    with pytest.raises(ServerError, match="the fork server ended: it was closed"):
        client.ask({"op": "hub"})


def test_a_request_to_a_server_that_died_says_so_and_the_client_can_be_closed():
    with WorkerClient() as client:
        client.ask({"op": "hub"})
        client._process.kill()
        client._process.wait()
        with pytest.raises(ServerGoneError):
            next(client.request({"op": "hub"}))
    assert not client.running


XFORMERS = """\
import os, torch
with open({log!r}, "a") as log:
    log.write(f"{{os.getpid()}}\\n")
if {always} or os.environ.get("XFORMERS_ENABLE_TRITON") != "1":  # else the real one asks the driver for its card
    pid, zeros = os.getpid(), torch.zeros
    def in_this_process(*args, **kwargs):
        if os.getpid() != pid:
            raise RuntimeError("Cannot re-initialize CUDA in forked subprocess")
        return zeros(*args, **kwargs)
    torch.zeros = in_this_process
"""


@pytest.fixture
def install_xformers(tmp_path, monkeypatch):
    """Put an xFormers into the path that initializes the driver when it is imported; return the log of its imports."""

    def install(*, always):
        (tmp_path / "xformers").mkdir()
        (tmp_path / "xformers-0.0.99.dist-info").mkdir()
        metadata = "Metadata-Version: 2.1\nName: xformers\nVersion: 0.0.99\n"
        (tmp_path / "xformers-0.0.99.dist-info" / "METADATA").write_text(metadata)
        (tmp_path / "xformers" / "__init__.py").touch()
        source = XFORMERS.format(log=str(tmp_path / "imports"), always=always)
        (tmp_path / "xformers" / "ops.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return tmp_path / "imports"

    return install


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
def test_an_installed_xformers_does_not_end_forking(install_xformers):
    imports = install_xformers(always=False)
    with WorkerClient() as client:
        assert started_by(client) == "fork"
    assert imports.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
def test_a_server_that_initialized_the_driver_is_replaced_by_one_that_imports_nothing(install_xformers):
    imports = install_xformers(always=True)
    with WorkerClient() as client:
        assert started_by(client) == "spawn"
        assert started_by(client) == "spawn"
        assert str(client._process.pid) not in imports.read_text().split()
