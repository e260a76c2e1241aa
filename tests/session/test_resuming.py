"""A run that is continued: on its device, and on its card where that is there."""

import pytest
from records.make import process_record
from session.test_live import FACTS, Client

from bench.analyze.run import open_run
from bench.errors import InputError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.settings import RunSettings
from bench.records import environment
from bench.records.cards import Card
from bench.records.outcomes import RemarkKind
from bench.session import measure
from bench.session.devices import Choice
from bench.session.live import LiveRun, Machine
from bench.session.progress import Notices
from bench.session.request import RunRequest
from bench.session.resuming import begun

A, B = (Card(number, f"GPU-{letter}", f"GPU-{letter}", "NVIDIA H100") for number, letter in enumerate("ab"))
H100 = {**FACTS, "device": "cuda", "device_name": "NVIDIA H100"}
PLAN = Plan((ScenarioInfo("sd", "title"),), (Case("sd", "fp16", "stable-diffusion-v1-5"),))


def on_card(folder, card, facts=H100, **options):
    """Open a run that is measured on a card."""
    machine = Machine(Client(), facts, choice=Choice("cuda", card=card, cards=(A, B)))
    return LiveRun(folder, PLAN, RunSettings(facts["device"], "tiny"), machine, **options)


@pytest.fixture
def run(tmp_path):
    """The folder of a run with one process on card A."""
    with on_card(tmp_path / "run", A) as live:
        live._store.append(process_record())
    return tmp_path / "run"


def continued(folder, card):
    with on_card(folder, card, resume=True) as live:
        return live


def asked(folder, device="auto"):
    return RunRequest(output=folder, device=device, resume=True)


def test_a_run_is_known_by_its_device_and_its_card(run):
    assert (begun(asked(run)).device, begun(asked(run)).card_uuid) == ("cuda", "GPU-a")


def test_after_another_card_the_first_one_is_still_preferred(run):
    continued(run, B)
    assert begun(asked(run)).card_uuid == "GPU-a"


def test_a_new_run_was_begun_on_nothing(run):
    assert begun(RunRequest(output=run)).device is None


def test_a_run_that_was_measured_on_a_card_is_not_continued_on_the_cpu(run):
    with pytest.raises(InputError, match=r"--device cpu: the run was begun on cuda, and one run has one device; leave"):
        measure.measure(asked(run, "cpu"), Notices())


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:1"])
def test_a_card_is_chosen_as_it_was_asked_for(run, device):
    assert begun(asked(run)).on_its_device(asked(run, device)).device == device


def test_a_run_on_the_cpu_is_continued_there_beside_a_card(tmp_path):
    with on_card(tmp_path / "run", A, FACTS):
        pass
    request = asked(tmp_path / "run")
    assert begun(request).on_its_device(request).device == "cpu"


def test_the_card_on_which_a_run_was_begun_is_asked_for(run, monkeypatch):
    seen = []

    def pick(_request, _notices, begun_on):
        seen.append(begun_on)
        raise InputError("enough")

    monkeypatch.setattr(measure, "pick", pick)
    with pytest.raises(InputError, match="enough"):
        measure.measure(asked(run), Notices())
    assert seen == ["GPU-a"]


def test_another_card_of_the_same_model_is_recorded_beside_the_first(run):
    continued(run, B)
    found = open_run(run).environment
    assert (found["card"], found["card_uuid"], found["earlier_cards"]) == (1, "GPU-b", ["GPU-a"])


def test_the_same_card_leaves_the_environment_as_it_was(run):
    before = open_run(run).environment
    continued(run, A)
    assert open_run(run).environment == before


def test_a_run_without_a_process_is_that_of_the_card_that_measures_it(tmp_path):
    with on_card(tmp_path, A):
        pass
    continued(tmp_path, B)
    found = open_run(tmp_path).environment
    assert (found["card_uuid"], "earlier_cards" in found) == ("GPU-b", False)


def test_results_of_several_cards_have_a_remark(run):
    _, (result,) = continued(run, B).results()
    assert [(remark.kind, remark.value) for remark in result.remarks if remark.kind is RemarkKind.SEVERAL_CARDS] == [
        (RemarkKind.SEVERAL_CARDS, 2)
    ]


def test_results_of_one_card_have_no_such_remark(run):
    _, (result,) = continued(run, A).results()
    assert RemarkKind.SEVERAL_CARDS not in {remark.kind for remark in result.remarks}


def test_another_card_is_said_when_the_run_continues(run, monkeypatch, capsys):
    monkeypatch.setattr(measure, "_open", lambda *_: on_card(run, B, resume=True))
    monkeypatch.setattr(measure, "_measure", lambda *_: None)
    measure._run(Client(), Choice(), RunRequest(), 0.0, Notices())
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith(
        "This run was measured on the card GPU-a so far, and continues on GPU-b, another NVIDIA H100."
    )


@pytest.mark.parametrize("damaged", ["GPU-z", None, {}, 3])
def test_earlier_cards_that_are_damaged_are_none(damaged):
    assert environment.earlier_cards({"earlier_cards": damaged}) == []
