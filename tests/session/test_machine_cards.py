"""NVML is asked in a process of its own, here with a scripted library in its place."""

import pytest
from nvml_script import NVML

from bench.records.cards import Card
from bench.session.devices import machine_cards


@pytest.fixture
def install(tmp_path, monkeypatch):
    def write(source):
        (tmp_path / "pynvml.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return write


def test_a_card_is_listed_with_what_its_driver_says(install):
    install(NVML)
    assert list(machine_cards().cards) == [
        Card(0, "GPU-01", "GPU-01", "NVIDIA A100-SXM4-80GB", 80 * 1024**3, 60 * 1024**3, 0.9, 1, "8.0")
    ]


def test_the_newest_cuda_is_that_of_the_driver(install):
    install(NVML)
    assert machine_cards().cuda == "12.4"


@pytest.mark.parametrize("source", ["import os; os._exit(1)", "raise ImportError", NVML + "\nprint('hello')"])
def test_a_library_that_breaks_lists_no_cards(install, source):
    install(source)
    assert list(machine_cards().cards) == []
