"""Recognizing a scenario among other YAML files."""

import os
from time import process_time

import pytest
from support import ROOT

from bench.plan.recognize import is_scenario

SCENARIO = "title: t\nmodel: stable-diffusion-v1-5\ncall: {prompt: a cat}\ncases: {a: {}}\n"
SCHEMA = "# yaml-language-server: $schema=../bench/plan/scenario.schema.json\n"


@pytest.mark.parametrize(
    "text",
    [
        SCENARIO,
        SCENARIO.replace("cases: {a: {}}", "matrix: {seed: [0, 1]}"),
        '"title": t\n"model": m\n"call": {}\n"cases": {}\n',
        "title: t\ncases:\n  a: {model: m, call: {prompt: a cat}}\n",
        SCHEMA + "modle: misspelled\n",
        SCENARIO + "dtyp: float16\n",
        SCENARIO.replace("{a: {}}", "{a: {}"),
    ],
    ids=["cases", "matrix", "quoted", "settings in a case", "names the schema", "unknown key", "torn"],
)
def test_a_scenario_is_recognized_even_with_a_fault(write, text):
    assert is_scenario(write(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list\n",
        "model: gpt\ncases: [a, b]\n",
        "steps:\n  call: x\n  model: y\n  cases: z\n",
        "# model: m\n# call: {}\n# cases: {}\n",
        "extends: eslint:recommended\n",
        "extends: missing.yaml\n",
        "$schema: https://example.org/other.schema.json\n",
    ],
)
def test_a_file_of_another_tool_is_ignored(write, text):
    assert not is_scenario(write(text))


@pytest.mark.parametrize("path", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_recognized(path):
    assert is_scenario(path)


def test_a_file_that_extends_a_scenario_is_recognized(write):
    write(SCENARIO, "below.yaml")
    write("extends: below.yaml\n", "between.yaml")
    assert is_scenario(write("extends: 'between.yaml'\ndtype: float16\n"))


def test_a_file_that_extends_itself_is_ignored(write):
    assert not is_scenario(write("extends: scenario.yaml\n"))


def test_a_binary_file_is_ignored(tmp_path):
    (tmp_path / "scenario.yaml").write_bytes(bytes(range(256)))
    assert not is_scenario(tmp_path / "scenario.yaml")


def test_a_pipe_is_ignored_and_not_read(tmp_path):
    os.mkfifo(tmp_path / "scenario.yaml")
    assert not is_scenario(tmp_path / "scenario.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "cases:\n" + "\n" * 300_000,
        "#" + "$schema=" * 100_000,
        "extends:" + "\t" * 300_000,
        "cases:\nmodel" + "\n" * 300_000,
    ],
    ids=["blank lines", "schemas", "tabs", "lines after a key"],
)
def test_a_long_file_is_searched_in_linear_time(write, text):
    path = write(text)
    start = process_time()
    assert not is_scenario(path)
    assert process_time() - start < 10  # seconds; it takes 20 ms, and minutes where time is quadratic
