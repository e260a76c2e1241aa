"""Files and events of strangers: whatever is in them, they are read or refused, and what is said is inert.

Each example is a valid document with some of its parts replaced, or text that is no document at all.
"""

import csv
import io
import os
from random import Random

import pytest
from analyze.make import case, make_folder, measured, result
from fuzz.untrusted import BYTES, SEEDS, as_json, changed, fuzz, refused, untrusted
from hypothesis import strategies as st

from bench.analyze.run import open_run
from bench.execute.attempt import Attempt
from bench.execute.events import Events, InvalidEventError, ServerGoneError
from bench.pipelines import diffusers_api
from bench.plan.case import Case
from bench.plan.check import problems, refuse_unmeasurable
from bench.plan.load import load
from bench.plan.order import Job
from bench.plan.recognize import is_scenario
from bench.plan.stored import read_plan
from bench.records.models import ProcessRecord
from bench.records.table import read_results, results_csv

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    cases = [
        case(),
        case("fp16", dtype="float16", call={"prompt": "a cat", "num_inference_steps": 4}, claim={"speedup": 1.5}),
    ]
    return make_folder(folder, cases, [measured("baseline", 2.0), measured("fp16", 1.0)])


SCENARIO = {
    "title": "t", "source": {"document": "d", "device": "NVIDIA A100"}, "model": "stable-diffusion-v1-4",
    "dtype": "float16", "scheduler": "PNDMScheduler", "call": {"prompt": "a cat", "height": 512, "width": 512},
    "seed": 0, "baseline": "a-float16", "cases": {
        "a": {"claim": {"latency_s": 6.37, "over_calls": 3, "note": "n"}},
        "b": {"model": "bk-sdm-small", "vae": "taesd", "seed": 3, "generator_device": "cpu", "load": {}},
        "c": {"scheduler_config": {"timestep_spacing": "leading"}, "optimizations": ["tf32"], "samples": 3},
    },
    "matrix": {"dtype": ["float16", "float32"], "exclude": [{"dtype": "float32"}], "include": [{"dtype": "bfloat16"}]},
}  # fmt: skip
PLAN = {
    "scenarios": [{"scenario": "sd", "title": "t", "source": {"document": "d", "device": "NVIDIA A100"}, "axes": []}],
    "cases": [
        case(call={"prompt": "a cat"}).to_json(),
        case(
            "fp16", dtype="float16", call={"prompt": "a cat", "num_inference_steps": 4}, load={"variant": "fp16"}
        ).to_json(),
    ],
    "run": {"device": "cuda", "size": "full"},
}
LINE = {
    "scenario": "sd", "case": "fp16", "process": 0, "status": "ok", "schema": 3, "reason": "slow",
    "settings": {"size": "full", "weights": "random", "optimizations": ["tf32"], "images": 1, "seed": [0]},
    "effective": {"scheduler": "DDIMScheduler"}, "timings": {"steady": True, "wall_s": 9.5},
    "memory": {"load": {}, "first_call": {}, "generation": {}},
    "telemetry": {"clock_events": ["power cap"], "rejected_by": []}, "work": {"matrix_types": []}, "breakdown": {},
    "remarks": [], "samples": [{"latency_s": 1.0, "device_time_s": 0.9}, {"latency_s": 1.1, "device_time_s": None}],
}  # fmt: skip
EVENTS = [
    {"event": "started", "pid": 1}, {"event": "phase", "phase": "building"},
    {"event": "facts", "facts": {"images": 1, "size": "tiny", "remarks": "host-bound:0.71"}},
    {"event": "sample", "index": 0, "latency_s": 1.0, "device_time_s": None}, {"event": "discard", "count": 1},
    {"event": "outcome", "status": "ok", "reason": ""}, {"event": "exit", "code": 0},
]  # fmt: skip
YAML_PARTS = st.one_of(
    st.sampled_from(
        [
            "title", "model", "call", "cases", "matrix", "extends", "baseline", "a", "b", ": ", ":", "\n", "\n  ", "- ",
            "? ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<", "<<: *a", "!!int ", "!!float ", "!!bool ", "!!null ",
            "!!str ", "!!binary ", "!!set ", "!!python/object:os.system ", "!x ", "!<%ff> ", "''", '""', '"', "'", "#",
            "|\n", ">-\n", "%YAML 1.1\n---\n", "%TAG ! tag:yaml.org,2002:\n---\n", "---\n", "...\n", "_", "+", "-", ".",
            "1_0", "0x", "0b1", "0o7", "1:30", ".inf", ".nan", "2026-01-01", "yes", "null", "~", "1e999", "9" * 50,
            "\t", "\r", '"\\ud800"', '"\\UFFFFFFFF"', '"\\x9b"', '"\\0"', '"\\e[31m"', "\ufeff", "\x85", "\u2028",
            "[" * 50, "*", "sent.yaml", "../sent.yaml", "$schema=scenario.schema.json", "x" * 200,
        ]
    ),
    st.text(max_size=5),
)  # fmt: skip
RESULT = result("fp16", images=1, latency_median_s=1.5)
FOLDER = {
    "model_index.json": {
        "_class_name": "StableDiffusion3Pipeline", "_diffusers_version": "0.42.1",
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "transformer": ["diffusers", "SD3Transformer2DModel"], "vae": ["diffusers", "AutoencoderKL"],
    },
    "vae/config.json": {"block_out_channels": [8, 8, 8, 8]},
    "transformer/config.json": {"patch_size": 2},
}  # fmt: skip
INDICES = BYTES.map(lambda data: {"model_index.json": data})


def test_what_is_changed_is_valid_before(tmp_path, run, vocabulary):
    """Otherwise every example would be refused for the same reason."""
    (tmp_path / "sent.yaml").write_bytes(as_json(SCENARIO))
    (tmp_path / "plan.json").write_bytes(as_json(PLAN))
    plan, _ = read_plan(tmp_path / "plan.json")
    refuse_unmeasurable(tmp_path, plan, vocabulary)
    cases = load([tmp_path / "sent.yaml"], vocabulary, lambda _: []).cases
    assert {case.name.partition("-")[0] for case in cases} == set(SCENARIO["cases"])
    (run / "processes.jsonl").write_bytes(as_json(LINE) + b"\n")
    assert [record.case for record in open_run(run).processes] == ["fp16"]


@fuzz(st.one_of(changed(SCENARIO).map(as_json), BYTES))
def test_a_scenario_is_read_or_refused(tmp_path_factory, vocabulary, example):
    folder = tmp_path_factory.getbasetemp() / "scenarios"
    folder.mkdir(exist_ok=True)
    (folder / "sent.yaml").write_bytes(example)
    refused(load, [folder / "sent.yaml"], vocabulary, lambda _: ["DDIMScheduler"])
    assert [path.name for path in folder.iterdir()] == ["sent.yaml"]


@fuzz(st.lists(YAML_PARTS, min_size=1, max_size=20).map("".join))
def test_what_resembles_yaml_is_read_or_refused(tmp_path_factory, vocabulary, example):
    folder = tmp_path_factory.getbasetemp() / "yaml"
    folder.mkdir(exist_ok=True)
    (folder / "sent.yaml").write_bytes(example.encode(errors="surrogatepass"))
    assert is_scenario(folder / "sent.yaml") in {True, False}
    refused(load, [folder / "sent.yaml"], vocabulary, lambda _: ["DDIMScheduler"])


@fuzz(st.one_of(changed(PLAN).map(as_json), BYTES))
def test_a_plan_is_read_or_refused(tmp_path_factory, vocabulary, example):
    path = tmp_path_factory.getbasetemp() / "sent-plan.json"
    path.write_bytes(example)

    def resume():
        plan, _ = read_plan(path)
        refuse_unmeasurable(path, plan, vocabulary)

    refused(resume)


@fuzz(st.one_of(changed(LINE).map(as_json), BYTES))
def test_a_line_of_records_is_read_or_refused(run, example):
    (run / "processes.jsonl").write_bytes(example + b"\n")
    refused(open_run, run)


@fuzz(SEEDS)
def test_a_row_of_results_is_read_or_refused(tmp_path_factory, example):
    path = tmp_path_factory.getbasetemp() / "sent.csv"
    header, values, *_ = csv.reader(results_csv([RESULT]).splitlines())
    text = io.StringIO(newline="")
    random = Random(example)  # noqa: S311 - must be repeatable
    for column in random.choices(range(len(header)), k=3):
        values[column] = str(untrusted(random))
    csv.writer(text).writerows([header, values])
    path.write_bytes(text.getvalue().encode(errors="surrogatepass"))
    refused(read_results, path)


@fuzz(BYTES)
def test_a_file_that_is_no_csv_is_refused(tmp_path_factory, example):
    path = tmp_path_factory.getbasetemp() / "sent.csv"
    path.write_bytes(example)
    refused(read_results, path)


@fuzz(st.lists(st.one_of(changed(EVENTS).map(lambda events: b"\n".join(map(as_json, events))), BYTES), max_size=3))
def test_what_a_worker_reports_becomes_a_record(example):
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as worker:
        worker.write(b"\n".join(example)[:60_000] + b"\n")
    attempt, events = Attempt(Job(Case("sd", "fp16", "stable-diffusion-v1-5"), 0)), Events(reading)
    try:
        while True:
            attempt.take(events.next())
    except InvalidEventError as error:
        attempt.reject(error)
    except ServerGoneError:
        attempt.lose_server()
    finally:
        os.close(reading)
    assert isinstance(attempt.record(), ProcessRecord)


@fuzz(st.one_of(changed(FOLDER).map(lambda files: {name: as_json(data) for name, data in files.items()}), INDICES))
def test_the_folder_of_a_model_is_read_or_refused(tmp_path_factory, vocabulary, example):
    folder = tmp_path_factory.getbasetemp() / "model"
    for part in ("vae", "transformer"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name, data in example.items():
        if name in FOLDER:
            (folder / name).write_bytes(data)
    for question in (diffusers_api.pipeline_class, diffusers_api.side_multiple, diffusers_api.compatible_schedulers):
        refused(question, str(folder))
    sent = Case("sd", "fp16", str(folder), call={"height": 511, "width": 64}, load={"variant": "fp16"})
    assert all(isinstance(message, str) for _, message in problems(sent, vocabulary))
