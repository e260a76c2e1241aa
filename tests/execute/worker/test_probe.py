import sys
from types import SimpleNamespace

import pytest

from bench.execute.worker import probe
from bench.records.case_result import Versions
from bench.records.environment import cpu_name

TOO_OLD = "The NVIDIA driver on your system is too old (found version 12040). Please update your GPU driver by ..."


def test_an_xpu_has_its_own_name(monkeypatch):
    import torch

    monkeypatch.setattr(torch.xpu, "get_device_name", ["Intel Data Center GPU Max 1550"].__getitem__)
    assert probe._device("xpu") == {"device": "xpu", "device_name": "Intel Data Center GPU Max 1550"}


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_a_device_on_the_cpus_chip_has_its_name(kind):
    assert probe._device(kind) == {"device": kind, "device_name": cpu_name()}


def test_a_cuda_device_has_versions_as_text(monkeypatch):
    """cuDNN's version is an integer in torch; the first run on a GPU stopped at it."""
    import torch

    card = SimpleNamespace(name="NVIDIA H200", total_memory=1, major=9, minor=0, multi_processor_count=132)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _index: card)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91900)
    assert Versions.of(probe._device("cuda")).cudnn == "91900"


@pytest.fixture
def gpu(monkeypatch):
    """Return a function that gives torch a GPU, on which a first computation fails."""
    import torch

    def plug_in(driver, cuda, error=TOO_OLD):
        def fail(*_, **__):
            raise RuntimeError(error)

        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch, "zeros", fail)
        monkeypatch.setattr(probe, "_driver", lambda: driver)
        monkeypatch.setattr("platform.machine", lambda: "x86_64")

    return plug_in


def test_a_driver_that_is_too_old_for_torch_is_said_with_the_command_that_helps(gpu):
    gpu("550.54.15", "13.0")
    with pytest.raises(probe.WrongBuildError) as caught:
        probe.machine("auto")
    assert str(caught.value).startswith("The NVIDIA driver on your system is too old (found version 12040); torch ")
    assert f"`{sys.executable} -m pip install 'torch===2.10.0'`" in str(caught.value)


@pytest.mark.parametrize(("driver", "cuda"), [("580.65.06", "13.0"), ("550.54.15", "12.8"), (None, "13.0")])
def test_another_fault_of_a_gpu_stays_as_it_is(gpu, driver, cuda):
    gpu(driver, cuda, "CUDA error: out of memory")
    with pytest.raises(RuntimeError, match=r"^CUDA error: out of memory$"):
        probe.machine("auto")


@pytest.fixture
def cpu_build(monkeypatch):
    import torch

    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: None)
    monkeypatch.setattr(torch.version, "cuda", None)


def test_a_cpu_build_beside_a_driver_is_the_reason_why_there_is_no_cuda_device(cpu_build, monkeypatch):
    """As on one side of a gate of two environments."""
    monkeypatch.setattr(probe, "_driver", lambda: "580.65.06")
    with pytest.raises(probe.NoSuchDeviceError, match=r"is a CPU build; install a build that fits with .*torch===2\."):
        probe.machine("cuda")


def test_a_cpu_build_on_a_machine_without_a_driver_is_not_a_reason(cpu_build, monkeypatch):
    monkeypatch.setattr(probe, "_driver", lambda: None)
    with pytest.raises(probe.NoSuchDeviceError, match=r"^there is no cuda device here; only cpu is$"):
        probe.machine("cuda")


def test_the_worker_reports_the_uuid_that_torch_has_of_the_card(monkeypatch):
    import torch

    card = SimpleNamespace(
        name="NVIDIA H200", total_memory=1, major=9, minor=0, multi_processor_count=132, uuid="12ab-34cd"
    )
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _index: card)
    assert probe._device("cuda")["device_uuid"] == "GPU-12ab-34cd"


@pytest.mark.parametrize(("build", "variable"), [("cuda", "CUDA_VISIBLE_DEVICES"), ("hip", "HIP_VISIBLE_DEVICES")])
def test_a_variable_that_hides_every_card_is_the_reason_why_there_is_no_cuda_device(monkeypatch, build, variable):
    import torch

    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: None)
    monkeypatch.setattr(torch.version, build, "13.0")
    monkeypatch.setenv(variable, "")
    with pytest.raises(probe.NoSuchDeviceError, match=f"only cpu is, because {variable}= hides every card; unset it$"):
        probe.machine("cuda")
