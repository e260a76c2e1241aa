from types import SimpleNamespace

import pytest

from bench.execute.worker import probe
from bench.records.case_result import Versions
from bench.records.environment import cpu_name


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
