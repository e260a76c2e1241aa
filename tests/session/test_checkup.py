"""What a look at the machine finds: folders, a worker that answers as a test says, and what a run would do."""

import errno
import os
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from analyze.checkups import CARD, CARDS, checkup

from bench.errors import InputError
from bench.execute.client import ServerError, WorkerClient
from bench.plan.case import Case
from bench.plan.settings import RunSettings
from bench.records.cards import Cards
from bench.records.checkup import CaseOutlook, Hub
from bench.records.outcomes import Status, Tiny
from bench.session import checkup as session
from bench.session.checkup import look_at
from bench.session.progress import Notices
from bench.session.request import RunRequest

FACTS = {"device": "cuda", "device_name": "a card", "torch": "2.13", "torch_build": "cuda 13.0", "started_by": "fork"}
WORK = {"convolutions": 4e13, "products": 4e13, "launches": 1000, "denoiser_calls": 50}
WORK |= {"denoiser_parameters": 10**9, "parameters": 10**9}
RATES = {"matrix_flops": {"float16": 4e14, "float32": 2e13}, "copy_bytes_per_s": 1e12}
GPU = RunSettings("cuda", "full", weights="random")
CASES = [Case("s", name, "stable-diffusion-v1-5", dtype="float16") for name in ("a", "b", "c")]
NOTHING = checkup(outlook=None)


class Answering(WorkerClient):
    """A client whose answers a test gives: by `op`, or for a probe by its device; without one it fails."""

    def __init__(self, **answers):
        self.answers = answers

    def ask(self, message):
        name = message["device"] if message["op"] == "probe" else message["op"]
        if name not in self.answers:
            raise ServerError(f"there is no {name}")
        answer = self.answers[name]
        return answer(message) if callable(answer) else answer


def probed(requested="auto", **answers):
    return session._probe(Answering(**answers), replace(NOTHING, requested=requested))


def of_all(answer):
    """Return the same answer for every case that is asked about, by key."""
    return lambda message: {f"s/{case['name']}": answer for case in message["cases"]}


def outlook(budget_s=None, settings=GPU, **answers):
    given = {"obstacles": of_all(None), "work": of_all(WORK), "rates": RATES, **answers}
    return session._outlook(Answering(**given), CASES, settings, budget_s, spawned=False)


def test_a_folder_that_exists_can_be_written(tmp_path):
    assert look_at(tmp_path).refusal is None


def test_of_a_folder_that_does_not_exist_the_one_above_is_tried(tmp_path):
    assert look_at(tmp_path / "results" / "run") == replace(
        look_at(tmp_path), path=str(tmp_path / "results" / "run"), exists=False
    )


def test_nothing_is_left_in_a_folder_that_was_tried(tmp_path):
    look_at(tmp_path / "results")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_folder_is_a_refusal(tmp_path):
    (tmp_path / "results").touch()
    assert look_at(tmp_path / "results" / "run").refusal == os.strerror(errno.ENOTDIR)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc here")
def test_a_file_system_that_takes_no_files_is_a_refusal(tmp_path):
    (tmp_path / "results").symlink_to("/proc/self")
    assert look_at(tmp_path / "results").refusal


@pytest.mark.parametrize(("named", "ignored"), [("there", False), ("not there", True)], ids=["usable", "missing"])
def test_a_tmpdir_that_python_cannot_use_is_named(tmp_path, monkeypatch, named, ignored):
    (tmp_path / "there").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / named))
    assert session._temporary_folders()[1] == (str(tmp_path / named) if ignored else None)


def test_python_without_any_folder_for_temporary_files_is_found(monkeypatch):
    def fail():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", fail)
    assert session._temporary_folders()[0] is None


def test_the_facts_are_those_of_the_requested_device():
    assert probed(auto=FACTS).device == "cuda"


def test_if_the_device_fails_the_facts_are_those_of_the_cpu():
    assert probed("cuda", cpu={**FACTS, "device": "cpu"}).facts["torch"] == "2.13"


def test_if_the_device_fails_its_reason_is_kept():
    assert probed("cuda", cpu={**FACTS, "device": "cpu"}).device_failure == "there is no cuda"


def test_if_not_even_the_cpu_answers_the_worker_has_failed():
    assert probed("cuda").worker_failure == "there is no cuda"


def test_a_device_that_is_known_not_to_be_here_is_not_tried():
    found = replace(NOTHING, requested="cuda:7", device_failure="there is no such device")
    assert session._probe(Answering(cuda=FACTS, cpu={**FACTS, "device": "cpu"}), found).device is None


def test_a_card_that_is_not_here_is_a_finding(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert "there is no such device" in session._choice(RunRequest(device="cuda:1"), CARDS)[1]


def test_what_is_not_a_device_is_refused():
    with pytest.raises(InputError, match="is not a device"):
        session._choice(RunRequest(device="gpu"), CARDS)


def test_a_machine_without_torch_still_has_its_processor():
    assert probed("cuda").facts["cpu"]


def test_every_case_would_be_measured_where_nothing_is_in_the_way():
    assert [case.key for case in outlook().measured] == ["s/a", "s/b", "s/c"]


def test_a_case_that_would_be_skipped_has_its_reason():
    obstacle = {"s/a": {"status": "skipped", "reason": "no xformers"}, "s/b": None, "s/c": None}
    assert replace(outlook(obstacles=obstacle).cases[0], time=None) == CaseOutlook(
        "s", "a", Status.SKIPPED, "no xformers"
    )


def test_the_time_of_a_run_is_that_of_its_cases():
    found = outlook()
    assert found.time.likely_s == pytest.approx(sum(case.time.likely_s for case in found.cases))


def test_several_processes_per_case_are_counted():
    assert outlook(settings=replace(GPU, processes=4)).processes == 12


def test_the_time_of_a_case_is_that_of_all_its_processes():
    one, four = (outlook(settings=replace(GPU, processes=n)).cases[0].time.likely_s for n in (1, 4))
    assert four > 3 * one


def test_the_time_is_unknown_on_an_accelerator_whose_rates_cannot_be_measured():
    client = partial(outlook, rates=lambda _message: (_ for _ in ()).throw(ServerError("out of memory")))
    assert client().time is None


def test_a_budget_leaves_cases_out():
    each_s = outlook().cases[0].time.likely_s
    assert any(case.left_out for case in outlook(budget_s=each_s).cases)


def test_a_budget_takes_fewer_samples():
    assert outlook(budget_s=outlook().time.likely_s).samples == 6


def test_full_size_models_are_no_tiny_ones():
    assert outlook().tiny is Tiny.NONE


def test_what_the_cache_lacks_is_named_even_if_the_hub_cannot_be_reached(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found = outlook(settings=replace(GPU, weights="auto"))
    assert [*found.uncached, *found.downloads] == ["stable-diffusion-v1-5/stable-diffusion-v1-5"]


def test_a_download_has_the_size_that_the_hub_gives(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    name = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    found = outlook(settings=replace(GPU, weights="auto", hub_reachable=True), sizes={name: 5})
    assert found.downloads == {name: 5}


@pytest.mark.parametrize(
    ("settings", "offline", "state"),
    [
        (GPU, False, Hub.UNUSED),
        (replace(GPU, weights="auto", size="tiny"), False, Hub.UNUSED),
        (replace(GPU, weights="auto", hub_reachable=True), False, Hub.REACHABLE),
        (replace(GPU, weights="auto"), False, Hub.UNREACHABLE),
        (replace(GPU, weights="auto"), True, Hub.OFFLINE),
        (replace(GPU, weights="hub"), False, Hub.REACHABLE),
        (replace(GPU, weights="hub"), True, Hub.OFFLINE),
    ],
)
def test_the_hub_is_asked_where_weights_may_come_from_there(monkeypatch, settings, offline, state):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", offline)
    assert session._hub(Answering(hub=True), CASES, settings) is state


def test_a_place_has_the_free_space_of_its_disk(tmp_path):
    assert look_at(tmp_path).free_bytes > 0


def carded(monkeypatch, reported):
    """Look at three cards, of which the last is busy, with what torch reports; return the UUID and the idle ones."""
    here = Cards([replace(CARD, number=n, uuid=f"GPU-{n}", card_uuid=f"GPU-{n}", processes=n // 2) for n in range(3)])
    client = nullcontext(Answering(cuda={**FACTS, "device_uuid": reported}))
    monkeypatch.setattr(session, "WorkerClient", lambda **_: client)
    monkeypatch.setattr(session, "_with_outlook", lambda *arguments: arguments[-1])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = session.check_up(RunRequest(device="cuda"), Notices(quiet=True), lambda: here)
    return found.card.uuid, found.idle


def test_the_card_that_would_be_measured_on_is_found_with_idle_alternatives(monkeypatch):
    assert carded(monkeypatch, "GPU-0") == ("GPU-0", (1,))


def test_the_card_that_would_be_measured_on_is_the_one_that_torch_uses(monkeypatch):
    assert carded(monkeypatch, "GPU-1") == ("GPU-1", ())
