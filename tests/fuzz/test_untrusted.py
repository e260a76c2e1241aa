"""Files and events of strangers: whatever is in them, they are read or refused, and what is said is inert.

Each example is a valid document with some of its parts replaced, or text that is no document at all. FUZZ_EXAMPLES sets
how many there are in each test.
"""

import copy
import csv
import io
import json
import os
import resource
import sys

import pytest
from analyze.make import case, make_folder, measured, result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from support import ROOT

from bench.analyze.run import open_run
from bench.errors import InputError
from bench.execute.attempt import Attempt
from bench.execute.events import Events, InvalidEventError, ServerGoneError
from bench.pipelines import diffusers_api
from bench.plan.case import Case
from bench.plan.check import refuse_unmeasurable
from bench.plan.load import load
from bench.plan.order import Job
from bench.plan.stored import read_plan
from bench.records.case_result import CaseResult
from bench.records.columns import columns
from bench.records.models import ProcessRecord
from bench.records.table import read_results, results_csv
from bench.text import printed_lines

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
MOST_MEMORY = 500 * 1024**2
"""Bytes by which the process may grow over all examples of a test."""
UNTRUSTED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**20, max_value=10**40),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "", "..", ".", "/etc/passwd", "../../escape", "a/b", "a\x00b", "CON", "nul.txt", "A" * 5_000, "::error::x",
            "##[x]", "\x1b[31m", "\x9b1m", "\u202e", "\ud800", "=1+1", "@SUM(1)", "<img src=x>", "![i](https://a.example)",
            "{{ 7*7 }}", "a\n::error::b", "custom_pipeline", "trust_remote_code", "1e999", "NaN", "~nobody/x",
        ]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.text(max_size=8)), max_size=3),
    st.just([[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]),
)  # fmt: skip
BYTES = st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")))


@pytest.fixture(scope="module")
def libraries():
    """Import what a question imports, which is hundreds of megabytes that no example asked for."""
    diffusers_api.compatible_schedulers("stable-diffusion-v1-5")


@pytest.fixture(autouse=True)
def bounded(libraries):
    """Assert that a test does not fill the memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < MOST_MEMORY


@pytest.fixture(scope="module")
def vocabulary():
    return diffusers_api.vocabulary()


def fuzz(strategy):
    """Run a test once per example; a fixture's folder is shared by them."""
    quiet = settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    return lambda test: quiet(given(example=strategy)(test))


def places(value, path=()):
    """Return where the parts of a document are, the inner ones too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


@st.composite
def changed(draw, document):
    """Return a document of which one to three parts are replaced, removed, or have another key."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        found = places(made)
        path = draw(st.sampled_from(found))
        if not path:
            continue
        parent = made
        for key in path[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "remove":
                del parent[path[-1]]
            case "add" if isinstance(parent, dict):
                parent[str(draw(UNTRUSTED))] = copy.deepcopy(draw(UNTRUSTED))
            case _:
                parent[path[-1]] = copy.deepcopy(draw(UNTRUSTED))
    return made


def refused(read, *arguments):
    """Read what somebody sent; what a refusal says must be inert once it is printed."""
    try:
        read(*arguments)
    except InputError as error:
        lines = printed_lines(str(error)).split("\n")
        assert [line for line in lines if not line.isprintable() or line.lstrip().startswith("::")] == []


def as_json(document):
    return json.dumps(document).encode()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    cases = [
        case(),
        case("fp16", dtype="float16", call={"prompt": "a cat", "num_inference_steps": 4}, claim={"speedup": 1.5}),
    ]
    return make_folder(folder, cases, [measured("baseline", 2.0), measured("fp16", 1.0)])


SCENARIO = YAML(typ="safe").load((ROOT / "scenarios" / "sd14-distilled.yaml").read_text(encoding="utf-8"))
PLAN = {
    "scenarios": [{"scenario": "sd", "title": "t", "source": {"document": "d", "device": "NVIDIA A100"}, "axes": []}],
    "cases": [
        case().to_json(),
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
RESULT, COLUMNS = result("fp16", images=1, latency_median_s=1.5), columns(CaseResult)
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.42.1",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
}  # fmt: skip


def test_what_is_changed_is_valid_before(tmp_path, run, vocabulary):
    """Otherwise every example would be refused for the same reason."""
    (tmp_path / "sent.yaml").write_bytes(as_json(SCENARIO))
    (tmp_path / "plan.json").write_bytes(as_json(PLAN))
    plan, _ = read_plan(tmp_path / "plan.json")
    refuse_unmeasurable(tmp_path, plan, vocabulary)
    assert len(load([tmp_path / "sent.yaml"], vocabulary, lambda _: []).cases) == len(SCENARIO["cases"])
    (run / "processes.jsonl").write_bytes(as_json(LINE) + b"\n")
    assert [record.case for record in open_run(run).processes] == ["fp16"]


@fuzz(st.one_of(changed(SCENARIO).map(as_json), BYTES))
def test_a_scenario_is_read_or_refused(tmp_path_factory, vocabulary, example):
    folder = tmp_path_factory.getbasetemp() / "scenarios"
    folder.mkdir(exist_ok=True)
    (folder / "sent.yaml").write_bytes(example)
    refused(load, [folder / "sent.yaml"], vocabulary, lambda _: ["DDIMScheduler"])
    assert [path.name for path in folder.iterdir()] == ["sent.yaml"]


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


@fuzz(st.dictionaries(st.sampled_from([column.name for column in COLUMNS]), UNTRUSTED.map(str), min_size=1, max_size=3))
def test_a_row_of_results_is_read_or_refused(tmp_path_factory, example):
    path = tmp_path_factory.getbasetemp() / "sent.csv"
    header, values, *_ = csv.reader(results_csv([RESULT]).splitlines())
    text = io.StringIO(newline="")
    row = [example.get(name, value) for name, value in zip(header, values, strict=True)]
    csv.writer(text).writerows([header, row])
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


@fuzz(st.one_of(changed(INDEX).map(as_json), BYTES))
def test_an_index_of_a_model_is_read_or_refused(tmp_path_factory, example):
    folder = tmp_path_factory.getbasetemp() / "model"
    folder.mkdir(exist_ok=True)
    (folder / "model_index.json").write_bytes(example)
    for question in (diffusers_api.pipeline_class, diffusers_api.side_multiple, diffusers_api.compatible_schedulers):
        refused(question, str(folder))
