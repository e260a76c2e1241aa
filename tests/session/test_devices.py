"""Which card a run measures on, on machines with scripted cards."""

import json
from dataclasses import replace

import psutil
import pytest
from support import ROOT, assert_refused, bench

from bench.errors import InputError
from bench.execute.client import WorkerClient
from bench.records.cards import Card, Cards
from bench.session import devices
from bench.session.devices import choose, machine_cards, pick
from bench.session.progress import Notices
from bench.session.request import RunRequest

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


def test_a_divided_card_is_listed_as_its_slices(machine):
    slices = [{"uuid": f"MIG-{number}", "name": "NVIDIA H100 MIG 1g.10gb"} for number in (1, 2)]
    machine(h100("a", slices=slices), h100("b"))
    assert [(card.uuid, card.card_uuid, card.is_slice) for card in machine_cards().cards] == [
        ("MIG-1", "GPU-a", True), ("MIG-2", "GPU-a", True), ("GPU-b", "GPU-b", False),
    ]  # fmt: skip


def test_a_machine_without_a_driver_has_no_cards(machine):
    machine()
    assert len(machine_cards().cards) == 0


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


def cards(*described):
    """Return the cards of a machine; each is given by its letter and what it differs in."""
    return Cards(
        [
            replace(Card(number, f"GPU-{letter}", f"GPU-{letter}", "NVIDIA H100", 80 * GIB, 0, 0.0, 0), **more)
            for number, (letter, more) in enumerate(described)
        ]
    )


FREE, BUSY = {}, {"processes": 2, "memory_used_bytes": 40 * GIB, "utilization": 0.97}
TWO = cards(("a", FREE), ("b", FREE))


def chosen(device, here, **variables):
    return choose(device, f"--device {device}", here, variables)


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:1", "xpu", "xpu:3"])
def test_a_device_that_may_be_there_is_accepted(device):
    assert chosen(device, TWO).kind == device.partition(":")[0]


@pytest.mark.parametrize(
    "device", ["", "gpu", "cuda:", "cuda:-1", "cuda:1000", "cpu:0", "mps:0", "auto:1", "cuda:1 ", "cuda:x"]
)
def test_what_is_not_a_device_is_refused(device):
    with pytest.raises(InputError, match="is not a device; give auto"):
        chosen(device, TWO)


def test_the_card_with_an_index_is_the_only_one_that_workers_see():
    assert chosen("cuda:1", TWO).variables == {"CUDA_VISIBLE_DEVICES": "GPU-b"}


def test_an_index_counts_the_visible_cards():
    assert chosen("cuda:0", TWO, CUDA_VISIBLE_DEVICES="1,0").variables == {"CUDA_VISIBLE_DEVICES": "GPU-b"}


def test_an_index_beyond_the_cards_names_those_that_are_there():
    with pytest.raises(InputError, match=r"no such device; visible here: cuda:0 \(NVIDIA H100\), cuda:1"):
        chosen("cuda:2", TWO)


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles", "GPU-zzz"])
def test_a_variable_that_hides_every_card_is_named(value):
    with pytest.raises(InputError, match=r"CUDA_VISIBLE_DEVICES=.* hides every card"):
        chosen("cuda", TWO, CUDA_VISIBLE_DEVICES=value)


@pytest.mark.parametrize("value", ["1", "GPU-b", "1,GPU-a"])
def test_a_variable_that_names_cards_is_honored(value):
    assert chosen("cuda", TWO, CUDA_VISIBLE_DEVICES=value).card.uuid == "GPU-b"


def test_auto_takes_the_first_card_if_all_are_idle():
    assert chosen("auto", TWO).index == 0


def test_auto_takes_an_idle_card():
    assert chosen("auto", cards(("a", BUSY), ("b", FREE))).card.uuid == "GPU-b"


def test_auto_takes_the_first_card_if_all_are_busy():
    assert chosen("auto", cards(("a", BUSY), ("b", BUSY))).card.uuid == "GPU-a"


def test_a_slice_of_a_card_is_chosen_by_its_own_name():
    here = cards(("a", {"uuid": "MIG-1"}), ("a", {"uuid": "MIG-2"}))
    assert chosen("cuda:1", here).variables == {"CUDA_VISIBLE_DEVICES": "MIG-2"}


SLICES = cards(("a", {"uuid": "MIG-1a"}), ("a", {"uuid": "MIG-1b"}), ("a", {"uuid": "MIG-1"}))


@pytest.mark.parametrize("value", ["MIG-1b", "MIG-1"], ids=["full", "full and the beginning of others"])
def test_a_slice_with_its_full_uuid_is_that_slice(value):
    assert chosen("auto", SLICES, CUDA_VISIBLE_DEVICES=value).variables == {"CUDA_VISIBLE_DEVICES": value}


def test_the_beginning_of_a_slices_uuid_is_completed():
    here = cards(("a", {"uuid": "MIG-1a"}), ("a", {"uuid": "MIG-2b"}))
    assert chosen("cuda", here, CUDA_VISIBLE_DEVICES="MIG-2").variables == {"CUDA_VISIBLE_DEVICES": "MIG-2b"}


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_the_beginning_of_several_slices_uuids_is_left_to_cuda(device):
    choice = chosen(device, cards(("a", {"uuid": "MIG-1a"}), ("a", {"uuid": "MIG-1b"})), CUDA_VISIBLE_DEVICES="MIG-")
    assert (choice.kind, choice.card, choice.variables) == (device, None, {})


def test_the_card_on_which_a_run_was_begun_is_preferred():
    here = cards(("a", FREE), ("b", BUSY))
    assert choose("auto", "--device auto", here, {}, "GPU-b").card.uuid == "GPU-b"


def test_a_card_on_which_a_run_was_begun_and_that_is_hidden_is_not_taken():
    assert choose("auto", "--device auto", TWO, {"CUDA_VISIBLE_DEVICES": "0"}, "GPU-b").card.uuid == "GPU-a"


def test_a_card_that_is_asked_for_is_taken_whatever_a_run_was_begun_on():
    assert choose("cuda:0", "--device cuda:0", TWO, {}, "GPU-b").card.uuid == "GPU-a"


def test_a_variable_that_hides_every_card_of_amd_is_named():
    with pytest.raises(InputError, match="HIP_VISIBLE_DEVICES= hides every card; unset it"):
        chosen("cuda:0", Cards(), HIP_VISIBLE_DEVICES="")


def test_the_card_that_torch_uses_is_the_recorded_one(capsys):
    choice = chosen("cuda:0", TWO).confirmed({"device": "cuda", "device_uuid": "GPU-b"}, Notices())
    assert choice.describe({"device": "cuda"})["card_uuid"] == "GPU-b"
    assert "torch uses NVIDIA H100 (card 1), not NVIDIA H100 (card 0)" in " ".join(capsys.readouterr().err.split())


def test_a_card_that_only_torch_knows_is_recorded_by_its_uuid():
    facts = {"device": "cuda", "device_uuid": "GPU-z"}
    assert chosen("cuda:0", TWO).confirmed(facts).describe(facts) == {"device": "cuda", "card_uuid": "GPU-z"}


@pytest.mark.parametrize("reported", ["GPU-1b", "GPU-a"], ids=["the slice's UUID", "that of its card"])
def test_a_slice_is_confirmed_by_either_uuid(reported):
    choice = chosen("cuda:1", SLICES)
    assert choice.confirmed({"device": "cuda", "device_uuid": reported}, Notices()) == choice


def test_a_single_card_is_left_to_cuda():
    assert chosen("auto", cards(("a", FREE))).variables == {}


def test_the_environment_of_a_run_says_which_card_it_was():
    found = chosen("cuda:1", TWO).describe({"device": "cuda", "device_uuid": "GPU-b"})
    assert found == {"device": "cuda", "card": 1, "card_uuid": "GPU-b", "card_count": 2}


def test_a_run_on_the_cpu_beside_a_card_names_no_card():
    assert chosen("auto", TWO).describe({"device": "cpu"}) == {"device": "cpu"}


def picked(capsys, device):
    choice = pick(RunRequest(device=device), Notices())
    return choice, capsys.readouterr()


def test_a_card_that_was_passed_over_is_named_with_the_reason(machine, capsys):
    machine(h100("a", used=40 * GIB, utilization=97), h100("b"))
    choice, said = picked(capsys, "auto")
    assert choice.card.uuid == "GPU-b"
    assert "auto takes cuda:1, because these are in use: card 0" in said.out
    assert "97% utilized" in said.out


def test_a_busy_card_is_warned_of_before_the_run(machine, capsys):
    machine(h100("a", used=40 * GIB, utilization=97))
    _, said = picked(capsys, "auto")
    assert "is in use" in said.err
    assert "--device cuda:N" not in said.err


def test_a_busy_card_beside_an_idle_one_is_warned_of_with_the_options_that_choose_the_idle_one(machine, capsys):
    machine(h100("a", used=40 * GIB, utilization=97), h100("b", used=40 * GIB), h100("c"))
    _, said = picked(capsys, "cuda")
    assert "or measure on cuda:2, which is idle, with --device auto or --device cuda:2." in " ".join(said.err.split())


def test_an_idle_card_is_not_worth_a_word(machine, capsys):
    machine(h100("a"))
    _, said = picked(capsys, "cuda")
    assert said.out + said.err == ""


def test_workers_see_the_card_that_was_chosen():
    with WorkerClient(variables={"CUDA_VISIBLE_DEVICES": "GPU-b"}) as client:
        variables = psutil.Process(client.process_id).environ()
    assert variables["CUDA_VISIBLE_DEVICES"] == "GPU-b"


@pytest.mark.slow
def test_a_card_that_is_not_there_is_refused_before_anything_is_measured(tmp_path):
    assert_refused(bench("run", "sd15-precision", "--device", "gpu", cwd=tmp_path), "--device gpu: is not a device")
