"""What a run says about the machine before it measures: a GPU that torch cannot use."""

import sys
from types import SimpleNamespace

import pytest

from bench.records.cards import VISIBLE
from bench.session import settings
from bench.session.card_listing import list_cards
from bench.session.progress import Notices
from bench.session.request import AUTO, RunRequest
from bench.session.settings import settings_for

FACTS = {"device": "cpu", "torch": "2.13.0+cpu", "torch_build": "cpu", "started_by": "fork"}


class Client:
    """A worker client whose worker has no GPU, with an interpreter of its own."""

    python = "/env/bin/python"

    def ask(self, _question):
        return FACTS


class NVMLError(Exception):
    pass


NVML = SimpleNamespace(
    NVMLError=NVMLError,
    nvmlInit=lambda: None,
    nvmlShutdown=lambda: None,
    nvmlSystemGetDriverVersion=lambda: "550.54.15",
    nvmlDeviceGetCount=lambda: 1,
    nvmlDeviceGetHandleByIndex=lambda index: index,
    nvmlDeviceGetUUID=lambda _: "GPU-0",
    nvmlDeviceGetName=lambda _: "NVIDIA A100",
)
"""The management library on a machine with one card."""


@pytest.fixture
def card(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", NVML)
    monkeypatch.setattr(settings, "machine_cards", list_cards)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.delenv(VISIBLE, raising=False)


def said(capsys, build):
    """Return what a run on the CPU says with a build of torch."""
    client = Client()
    client.ask = lambda _question: {**FACTS, "torch_build": build}
    settings_for(client, [], RunRequest(size="tiny"), Notices())
    return capsys.readouterr().out


def warnings(capsys, device=AUTO):
    settings_for(Client(), [], RunRequest(device=device, size="tiny"), Notices())
    return capsys.readouterr().err


def test_a_cpu_build_beside_a_card_is_said_with_the_command_of_the_workers_interpreter(card, capsys):
    said = warnings(capsys)
    assert "NVIDIA A100, but torch 2.13.0+cpu is a CPU build" in said
    assert "`/env/bin/python -m pip install 'torch===2.10.0'`" in said


def test_whoever_chose_the_cpu_is_not_warned(card, capsys):
    assert warnings(capsys, "cpu") == ""


def test_whoever_hid_the_card_is_not_warned(card, capsys, monkeypatch):
    monkeypatch.setenv(VISIBLE, "")
    assert warnings(capsys) == ""


def test_a_variable_that_hides_the_card_is_said(card, capsys, monkeypatch):
    monkeypatch.setenv(VISIBLE, "")
    assert (
        said(capsys, "cuda 13.0") == "CUDA_VISIBLE_DEVICES= hides every card, so everything is measured on the CPU.\n"
    )


def test_a_variable_that_hides_the_cards_of_amd_is_said(capsys, monkeypatch):
    monkeypatch.setenv("HIP_VISIBLE_DEVICES", "")
    assert said(capsys, "rocm 7.0").startswith("HIP_VISIBLE_DEVICES= hides every card")
