"""Which card a run measures on, on machines with scripted cards."""

import json
from dataclasses import replace

import pytest
from support import ROOT

from bench.records.cards import Card, Cards
from bench.session import devices
from bench.session.devices import machine_cards

GIB = 1024**3


@pytest.fixture
def machine(monkeypatch):
    """Give every process that is started from here these cards."""

    def install(*cards):
        monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "scripted"))
        monkeypatch.setenv("SCRIPTED_CARDS", json.dumps(cards))

    return install


def h100(letter, **more):
    """Return a card for a machine; the letter is that of its UUID."""
    return {"uuid": f"GPU-{letter}", "name": "NVIDIA H100 80GB HBM3", "memory": 80 * GIB, **more}


def test_the_cards_of_the_machine_are_those_that_another_process_sees(machine):
    machine(h100("a", used=GIB, utilization=7))
    (found,) = machine_cards().cards
    assert found == Card(
        0, "GPU-a", "GPU-a", "NVIDIA H100 80GB HBM3", 80 * GIB, GIB, utilization=0.07, processes=0,
        compute_capability="9.0",
    )  # fmt: skip


def test_a_machine_without_a_driver_has_no_cards(machine):
    machine()
    assert machine_cards().cards == ()


def test_the_driver_and_its_cuda_are_known_together_with_the_cards(machine):
    machine(h100("a"))
    assert replace(machine_cards(), cards=()) == Cards((), "580.65.06", "13.0")


def test_the_server_of_the_multi_process_service_is_not_a_program_on_the_card(machine):
    machine(h100("a", processes=["/usr/bin/nvidia-cuda-mps-server", "python"]))
    assert machine_cards().cards[0].processes == 1


@pytest.mark.parametrize("driver", ["import time; time.sleep(60)", "import os; os.abort()"], ids=["hangs", "crashes"])
def test_a_driver_that_does_not_answer_knows_no_cards(monkeypatch, tmp_path, driver):
    (tmp_path / "pynvml.py").write_text(driver)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(devices, "ANSWER_TIMEOUT_S", 0.5)
    assert machine_cards() == Cards()
