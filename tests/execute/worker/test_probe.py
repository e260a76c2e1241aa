import pytest

from bench.execute.worker import probe
from bench.records.environment import cpu_name


def test_an_xpu_has_its_own_name(monkeypatch):
    import torch

    monkeypatch.setattr(torch.xpu, "get_device_name", ["Intel Data Center GPU Max 1550"].__getitem__)
    assert probe._device("xpu") == {"device": "xpu", "device_name": "Intel Data Center GPU Max 1550"}


@pytest.mark.parametrize("kind", ["cpu", "mps"])
def test_a_device_on_the_cpus_chip_has_its_name(kind):
    assert probe._device(kind) == {"device": kind, "device_name": cpu_name()}
