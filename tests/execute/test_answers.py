"""What another interpreter answers is checked before anything relies on it."""

import sys

import pytest

from bench.errors import InputError
from bench.execute.answers import InvalidAnswerError, checked
from bench.execute.client import ServerError, WorkerClient, ask_compatible

MACHINE = {
    "device": "cuda", "device_name": "NVIDIA T4", "python": "3.12.1", "started_by": "fork", "torch": "2.13.0",
    "torch_build": "cuda 13.0", "device_memory_bytes": 16 * 1024**3, "driver": None,
}  # fmt: skip
WORK = {"convolutions": 1.0, "products": 2.0, "launches": 3, "denoiser_calls": 4, "denoiser_parameters": 5}
WORK |= {"parameters": 6}
RATES = {"matrix_flops": {"float16": 1e12}, "copy_bytes_per_s": 1e9}
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("op", "answer"),
    [
        ("probe", MACHINE),
        ("hub", False),
        ("rates", RATES),
        ("work", {"s/a": WORK, "s/b": None}),
        ("obstacles", {"s/a": {"status": "skipped", "reason": "no card"}, "s/b": None}),
        ("sizes", {"a/b": 3, "c/d": None}),
        ("compatible", {"a/b": ["DDIMScheduler"]}),
    ],
)
def test_an_answer_of_the_right_type_is_returned(op, answer):
    assert checked(op, answer) == answer


@pytest.mark.parametrize(
    ("op", "answer", "words"),
    [
        ("probe", [], "dict"),
        ("probe", {}, "'device'"),
        ("probe", {**MACHINE, "device": "quantum"}, "'device'"),
        ("probe", {**MACHINE, "device_name": 3}, "'device_name'"),
        ("probe", {**MACHINE, "started_by": None}, "'started_by'"),
        ("probe", {**MACHINE, "device_memory_bytes": "16"}, "'device_memory_bytes'"),
        ("probe", {**MACHINE, "driver": "5" * 5_000}, "driver"),
        ("probe", {**MACHINE, "driver": [[]]}, "driver"),
        ("hub", "yes", "bool"),
        ("hub", 1, "bool"),
        ("rates", {**RATES, "copy_bytes_per_s": NAN}, "copy_bytes_per_s"),
        ("rates", {**RATES, "matrix_flops": {"float16": -1.0}}, "float16"),
        ("rates", {}, "matrix_flops"),
        ("work", {"s/a": {**WORK, "products": INF}}, "products"),
        ("work", {"s/a": {**WORK, "launches": -1}}, "launches"),
        ("work", {"s/a": {"products": 1.0}}, "other keys"),
        ("work", [WORK], "dict"),
        ("obstacles", {"s/a": {"status": "ok", "reason": ""}}, "s/a"),
        ("obstacles", {"s/a": "skipped"}, "s/a"),
        ("sizes", {"a/b": "3"}, "a/b"),
        ("compatible", {"a/b": ["DDIM; import os"]}, "name of a class"),
        ("compatible", {"a/b": "DDIMScheduler"}, "list"),
    ],
)
def test_an_answer_of_another_type_is_refused(op, answer, words):
    with pytest.raises(InvalidAnswerError, match=words):
        checked(op, answer)


ANSWERS = """\
import json, sys
print(json.dumps({{"event": "ready"}}), flush=True)
for request in sys.stdin:
    for event in (
        {{"event": "started", "pid": 1}}, {{"event": "answer", "answer": {answer}}}, {{"event": "exit", "code": 0}}
    ):
        print(json.dumps(event), flush=True)
"""


@pytest.fixture
def answering(tmp_path):
    """Return a client of an interpreter that gives every question the same answer."""

    def make(answer):
        program = tmp_path / "python"
        program.write_text(f"#!{sys.executable}\n{ANSWERS.format(answer=answer)}")
        program.chmod(0o755)
        return WorkerClient(str(program))

    return make


@pytest.mark.parametrize("answer", ["[]", "{}", "None", "3", '{"device": {"device": []}}', 'float("nan")'])
def test_an_interpreter_that_answers_something_else_is_named(answering, tmp_path, answer):
    with answering(answer) as client, pytest.raises(ServerError, match=r"'probe' (failed|got an answer that is none)"):
        client.ask({"op": "probe", "device": "cpu"})


def test_schedulers_of_another_model_are_no_answer(answering):
    with answering('{"a/other": []}') as client, pytest.raises(InputError, match="did not answer for 'a/b'"):
        ask_compatible(client, "a/b")
