"""Several files in one plan, and the scenarios of this repository."""

import json
import re
from pathlib import Path

import pytest

from bench.pipelines.diffusers_api import vocabulary
from bench.plan.case import Plan
from bench.plan.load import load, load_file
from bench.plan.vocabulary import MAX_LISTED, suggestion

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").rglob("*.yaml"))
GOOD = "title: t\nmodel: someone/new\ncases: {a: {}}\n"


def compatible(_model):
    """Stand in for diffusers' list of a model's compatible schedulers."""
    return ["PNDMScheduler", "DDIMScheduler"]


def plan_of(*paths):
    """Return the plan that files are loaded into."""
    return load(paths, vocabulary(), compatible)


def test_the_repository_has_scenarios():
    assert "sd15-precision" in [path.stem for path in SCENARIOS]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_the_repository_loads(path):
    assert plan_of(path).cases


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_of_the_repository_names_its_source(path):
    assert "document" in plan_of(path).scenarios[0].source


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_case_of_the_repository_has_a_name_that_is_a_safe_file_name(path):
    unsafe = [case.name for case in plan_of(path).cases if not re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,99}", case.name)]
    assert unsafe == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_plan_of_the_repository_survives_a_round_trip_through_json(path):
    plan = plan_of(path)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_keeps_the_order_of_its_files(write):
    paths = [write(GOOD, name) for name in ("z.yaml", "a.yaml")]
    assert [case.key for case in plan_of(*paths).cases] == ["z/a", "a/a"]


def test_a_baseline_is_looked_for_in_its_own_file(write):
    paths = [write(GOOD + "baseline: a\n", name) for name in ("z.yaml", "y.yaml")]
    assert [case.baseline for case in plan_of(*paths).cases] == ["z/a", "y/a"]


def test_a_plan_without_files_is_empty():
    assert plan_of() == Plan((), ())


def test_a_scenario_keeps_its_source(write):
    path = write(GOOD + "source: {document: x, device: NVIDIA A100}\n")
    assert plan_of(path).scenarios[0].source == {"document": "x", "device": "NVIDIA A100"}


def test_a_scenario_may_have_no_source(write):
    assert plan_of(write(GOOD)).scenarios[0].source == {}


def test_a_scenario_keeps_its_title(write):
    assert plan_of(write(GOOD)).scenarios[0].title == "t"


def test_a_scenario_keeps_the_order_of_its_axes(write):
    text = GOOD + "matrix: {width: [512], include: [], height: [512], exclude: []}\n"
    assert plan_of(write(text)).scenarios[0].axes == ("width", "height")


def test_the_rows_of_an_extending_scenario_are_named_after_its_own_file(write):
    write(GOOD, "parent.yaml")
    assert [case.key for case in plan_of(write("extends: parent.yaml\n", "child.yaml")).cases] == ["child/a"]


def test_a_name_may_contain_every_safe_character(write):
    path = write(GOOD.replace("a: {}", "A1.b_c+d-e: {}"), "A1.b_c+d-e.yaml")
    assert plan_of(path).cases[0].key == "A1.b_c+d-e/A1.b_c+d-e"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("optimisations", "did you mean 'optimizations'?"),
        ("Seed", "did you mean 'seed'?"),
        ("zzz", "choose from: dtype, optimizations, seed"),
        ("", "choose from: dtype, optimizations, seed"),
    ],
)
def test_a_suggestion_is_the_closest_word_or_the_list_of_all(word, expected):
    assert suggestion(word, {"seed", "optimizations", "dtype"}) == expected


def test_a_long_list_of_suggestions_ends_with_an_ellipsis():
    listed = suggestion("?", [f"word{number:03}" for number in range(100)]).removeprefix("choose from: ")
    assert listed.count("word") == MAX_LISTED
    assert listed.endswith(" ...")


def test_each_case_is_loaded_with_the_place_where_it_was_written(write):
    below = write("title: t\nmodel: someone/new\ncases:\n  a: {}\n  b: {dtype: float16}\n", "below.yaml")
    above = write("extends: below.yaml\ncases:\n  c: {dtype: bfloat16}\n", "above.yaml")
    _, cases = load_file(above, vocabulary(), compatible)
    assert [(case.name, place) for case, place in cases] == [("a", (below, 4)), ("b", (below, 5)), ("c", (above, 3))]
