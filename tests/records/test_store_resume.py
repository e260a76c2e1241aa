"""Whatever ended a run, resuming it keeps every finished process once and drops the one in flight."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest
from records.make import ENVIRONMENT, PLAN, process_record
from support import ROOT

from bench.errors import InputError
from bench.records.outcomes import Status
from bench.records.store import PROCESSES, Store, read_processes

REASON = 'size mismatch, "expected"\n[4, 64] and größer'

WRITER = """
import sys
from pathlib import Path
from records.make import ENVIRONMENT, PLAN, process_record
from bench.records.store import Store

store = Store(Path(sys.argv[1]))
first = len(store.open(PLAN, ENVIRONMENT, resume=bool(sys.argv[2])))
print("open", flush=True)
for process in range(first, first + 100_000):
    store.append(process_record(process=process, samples=[0.5] * 2_000))
"""


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "run")
    opened.open(PLAN, ENVIRONMENT, resume=False)
    yield opened
    opened.close()


@pytest.fixture
def folder(store):
    """A run that stopped after two of its cases."""
    store.append(process_record("baseline"))
    store.append(process_record("fp16"))
    store.close()
    return store.folder


def resume(folder, plan=PLAN, environment=ENVIRONMENT):
    """Open a folder again, close it, and return the key and the process of what is finished."""
    store = Store(folder)
    try:
        return [(record.case, record.process) for record in store.open(plan, environment, resume=True)]
    finally:
        store.close()


def refusal(folder, **changed):
    with pytest.raises(InputError) as refused:
        resume(folder, **changed)
    return str(refused.value)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def cases_on_file(folder):
    return [record.case for record in read_processes(folder / PROCESSES)]


def change_line(folder, number, **fields):
    """Change fields of one record on file."""
    lines = (folder / PROCESSES).read_text(encoding="utf-8").splitlines()
    lines[number - 1] = json.dumps({**json.loads(lines[number - 1]), **fields})
    (folder / PROCESSES).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def test_resume_returns_what_is_finished(store):
    store.append(process_record("baseline", process=0))
    store.append(process_record("baseline", process=1))
    store.append(process_record("fp16", Status.INTERRUPTED))
    store.close()
    assert resume(store.folder) == [("baseline", 0), ("baseline", 1)]


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.INTERRUPTED])
def test_a_case_that_ended_is_not_measured_again(store, status):
    store.append(process_record("fp16", status))
    store.close()
    assert resume(store.folder) == [("fp16", 0)]


def test_resume_drops_an_interrupted_process(store):
    store.append(process_record("baseline"))
    store.append(process_record("fp16", Status.INTERRUPTED))
    store.close()
    resume(store.folder)
    assert cases_on_file(store.folder) == ["baseline"]


def test_a_line_is_dropped_wherever_it_is_torn(store):
    path = store.folder / PROCESSES
    store.append(process_record("baseline"))
    whole = len(path.read_bytes())
    store.append(process_record("fp16", Status.FAILED, reason=REASON))
    torn = path.read_bytes()

    def cases_after(cut):
        path.write_bytes(torn[:cut])
        return cases_on_file(store.folder)

    assert [cut for cut in range(whole, len(torn)) if cases_after(cut) != ["baseline"]] == []


def test_resume_removes_a_torn_line_so_that_the_next_one_is_whole(folder):
    before = contents(folder)
    with (folder / PROCESSES).open("ab") as file:
        file.write(b'{"scenario":"sd","case":"gr\xc3')
    resume(folder)
    assert contents(folder) == before


def test_resume_keeps_every_finished_process_to_the_letter(store):
    store.append(process_record("baseline", Status.FAILED, reason=REASON, wall_s=0.1 + 0.2, seed=(0, 1)))
    store.append(process_record("fp16", remarks="idle(vae_tiling)", call={"prompt": "größer", "steps": 3}))
    store.close()
    before = contents(store.folder)
    resume(store.folder)
    assert contents(store.folder) == before


def test_a_resumed_run_appends_after_what_is_on_file(folder):
    store = Store(folder)
    store.open(PLAN, ENVIRONMENT, resume=True)
    store.append(process_record("tf32"))
    store.close()
    assert cases_on_file(folder) == ["baseline", "fp16", "tf32"]


def test_killed_in_the_middle_of_a_write_and_resumed_every_process_is_there_once(tmp_path):
    """Lines of 90 KB, written without a pause: most kills hit a write or its sync."""
    moments = random.Random(1)  # noqa: S311 - moments, not secrets
    for attempt in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "run"), "resume" if attempt else ""],
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}, stdout=subprocess.PIPE, text=True,
        ) as writer:  # fmt: skip
            assert writer.stdout.readline() == "open\n"
            time.sleep(moments.uniform(0.05, 0.15))
            writer.send_signal(signal.SIGKILL)
    finished = resume(tmp_path / "run")
    assert len(finished) > 4
    assert finished == [("fp16", process) for process in range(len(finished))]


def test_a_run_can_be_read_while_it_is_written(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "run"), ""],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip
        assert writer.stdout.readline() == "open\n"
        found = [read_processes(tmp_path / "run" / PROCESSES) for _ in range(20)]
        writer.kill()
    assert [[record.process for record in records] for records in found] == [
        list(range(len(records))) for records in found
    ]


def test_there_is_nothing_to_resume_in_a_new_folder(tmp_path):
    assert "there is no run to resume" in refusal(tmp_path / "new")


def test_a_run_that_was_killed_while_it_began_is_resumed(tmp_path):
    (tmp_path / "run").mkdir()
    for name in ("plan.json", ".environment.json.new"):
        (tmp_path / "run" / name).write_text("{}")
    assert resume(tmp_path / "run") == []


def test_resume_refuses_another_plan(folder):
    assert "was made from a different plan" in refusal(folder, plan={**PLAN, "run": {"device": "cuda", "samples": 12}})


def test_whether_the_hub_can_be_reached_may_change(folder):
    assert len(resume(folder, plan={**PLAN, "run": {**PLAN["run"], "hub_reachable": True}})) == 2


@pytest.mark.parametrize(
    "fact",
    ["diffusion_bench", "variables", "device", "driver", "cuda", "torch", "diffusers", "transformers",
     "accelerate", "python"],
)  # fmt: skip
def test_resume_refuses_another_environment(folder, fact):
    refused = refusal(folder, environment={**ENVIRONMENT, fact: "another"})
    assert f"was made with {fact} {ENVIRONMENT[fact]}, but now it is another" in refused


def test_resume_refuses_another_model_of_card(folder):
    refused = refusal(folder, environment={**ENVIRONMENT, "device_name": "NVIDIA A10"})
    assert "was measured on NVIDIA A100-SXM4-80GB, but now the device is NVIDIA A10" in refused


def stored_on(folder, **facts):
    (folder / "environment.json").write_text(json.dumps({**ENVIRONMENT, "variables": {}, **facts}), encoding="utf-8")


def test_another_way_to_select_a_known_card_may_resume(folder):
    stored_on(folder, card_uuid="GPU-a")
    now = {"card_uuid": "GPU-a", "variables": {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}}
    assert len(resume(folder, environment={**ENVIRONMENT, **now})) == 2


def test_another_way_to_select_an_unknown_card_may_not_resume(folder):
    stored_on(folder)
    now = {"variables": {"CUDA_VISIBLE_DEVICES": "1"}}
    assert "was made with variables {}" in refusal(folder, environment={**ENVIRONMENT, **now})


def test_another_variable_may_not_resume_even_if_the_card_is_known(folder):
    stored_on(folder, card_uuid="GPU-a")
    now = {"card_uuid": "GPU-a", "variables": {"NVIDIA_TF32_OVERRIDE": "0"}}
    assert "NVIDIA_TF32_OVERRIDE" in refusal(folder, environment={**ENVIRONMENT, **now})


def test_resume_refuses_to_continue_without_an_accelerator_that_was_there(folder):
    without = {name: value for name, value in ENVIRONMENT.items() if name != "driver"}
    assert "was made with driver 580.65.06, but now it is None" in refusal(folder, environment=without)


def test_another_commit_may_resume(folder):
    assert len(resume(folder, environment={**ENVIRONMENT, "git_commit": "def"})) == 2


def test_resume_refuses_a_plan_on_file_whose_settings_are_damaged(folder):
    (folder / "plan.json").write_text(json.dumps({**PLAN, "run": [1]}), encoding="utf-8")
    assert "was made from a different plan" in refusal(folder)


def test_a_plan_of_tuples_is_the_plan_that_was_stored_as_lists(tmp_path):
    plan = {**PLAN, "cases": ({"seed": (0, 1)},)}
    store = Store(tmp_path / "run")
    store.open(plan, ENVIRONMENT, resume=False)
    store.close()
    assert resume(tmp_path / "run", plan=plan) == []


@pytest.mark.parametrize("changed", [{"plan": {"cases": []}}, {"environment": {**ENVIRONMENT, "torch": "2.10.0"}}])
def test_a_refused_resume_changes_no_file(store, changed):
    store.append(process_record("fp16", Status.INTERRUPTED))
    store.close()
    before = contents(store.folder)
    refusal(store.folder, **changed)
    assert contents(store.folder) == before


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
def test_a_damaged_json_file_is_named(folder, name):
    (folder / name).write_text('{"cases": [', encoding="utf-8")
    assert f"{name}: is not JSON" in refusal(folder)


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert f"{name}: cannot be read" in refusal(folder)


def test_a_line_of_another_version_is_refused_with_its_number(folder):
    change_line(folder, 2, schema=4, status="better than ever")
    assert f"{PROCESSES}:2: was written with schema 4, this version reads schema 3" in refusal(folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"status": "fine"}, ":2: status: "),
        ({"samples": [{"latency_s": 0}]}, ":2: samples.0.latency_s: "),
        ({"samples": []}, ":2: process 0 of sd/fp16 is 'ok' but has no samples"),
        ({"settings": {}}, ":2: process 0 of sd/fp16 is 'ok' but has no number of images"),
        ({"case": "baseline"}, ":2: process 0 of sd/baseline is on line 1 already"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_with_its_line(folder, fields, message):
    change_line(folder, 2, **fields)
    assert f"{PROCESSES}{message}" in refusal(folder)


def test_a_line_that_is_not_json_is_refused_with_its_number(folder):
    with (folder / PROCESSES).open("a") as file:
        file.write("sd,fp16,0,ok\n")
    assert f"{PROCESSES}:3: " in refusal(folder)
