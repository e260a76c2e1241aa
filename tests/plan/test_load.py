"""Several files in one plan, and the scenarios of this repository."""

import re
from pathlib import Path

import pytest

from bench.pipelines.vocabulary import vocabulary
from bench.plan.case import Plan
from bench.plan.load import load, load_file
from bench.plan.vocabulary import MOST_LISTED, suggestion

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").rglob("*.yaml"))
GOOD = "title: t\nmodel: stable-diffusion-v1-5\ncases: {a: {}}\n"


def compatible(_model):
    """Stand in for what diffusers tells of a model's schedulers."""
    return ["PNDMScheduler", "DDIMScheduler"]


def plan_of(*paths):
    """Return the plan that files load into."""
    return load(paths, vocabulary(), compatible)


def test_there_are_scenarios():
    assert "sd15-precision" in [path.stem for path in SCENARIOS]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_of_this_repository_loads(path):
    assert plan_of(path).cases


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_of_this_repository_says_where_its_figures_come_from(path):
    assert "document" in plan_of(path).tables[0].source


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_case_of_this_repository_has_a_name_that_is_safe_in_a_file_name(path):
    unsafe = [case.name for case in plan_of(path).cases if not re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,99}", case.name)]
    assert unsafe == []


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_plan_of_a_scenario_of_this_repository_survives_json(path):
    plan = plan_of(path)
    assert plan == Plan.from_json(plan.to_json())


def test_the_plan_is_the_files_in_the_order_they_were_given(write):
    paths = [write(GOOD, name) for name in ("z.yaml", "a.yaml")]
    assert [case.key for case in plan_of(*paths).cases] == ["z/a", "a/a"]


def test_a_baseline_is_looked_for_in_its_own_file(write):
    paths = [write(GOOD + "baseline: a\n", name) for name in ("z.yaml", "y.yaml")]
    assert [case.baseline for case in plan_of(*paths).cases] == ["z/a", "y/a"]


def test_no_file_is_an_empty_plan():
    assert plan_of() == Plan((), ())


def test_a_table_has_what_its_file_says_of_its_source(write):
    path = write(GOOD + "source: {document: x, device: NVIDIA A100}\n")
    assert plan_of(path).tables[0].source == {"document": "x", "device": "NVIDIA A100"}


def test_a_table_without_a_source_has_none(write):
    assert plan_of(write(GOOD)).tables[0].source == {}


def test_a_table_has_the_title_of_its_file(write):
    assert plan_of(write(GOOD)).tables[0].title == "t"


def test_a_table_has_the_axes_of_its_matrix_in_order(write):
    text = GOOD + "matrix: {width: [512], include: [], height: [512], exclude: []}\n"
    assert plan_of(write(text)).tables[0].axes == ("width", "height")


def test_an_extending_scenario_names_its_rows_after_its_own_file(write):
    write(GOOD, "parent.yaml")
    assert [case.key for case in plan_of(write("extends: parent.yaml\n", "child.yaml")).cases] == ["child/a"]


def test_a_case_may_be_named_by_all_that_a_file_name_may_hold(write):
    path = write(GOOD.replace("a: {}", "A1.b_c+d-e: {}"), "A1.b_c+d-e.yaml")
    assert plan_of(path).cases[0].key == "A1.b_c+d-e/A1.b_c+d-e"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("optimizations", "did you mean 'optimizations'?"),
        ("Seed", "did you mean 'seed'?"),
        ("zzz", "there are: dtype, optimizations, seed"),
        ("", "there are: dtype, optimizations, seed"),
    ],
)
def test_a_suggestion_is_the_closest_word_or_all_there_are(word, expected):
    assert expected == suggestion(word, {"seed", "optimizations", "dtype"})


def test_a_suggestion_of_many_words_is_cut_and_says_so():
    listed = suggestion("?", [f"word{number:03}" for number in range(100)]).removeprefix("there are: ")
    assert (listed.count("word"), listed[-4:]) == (MOST_LISTED, " ...")


def test_each_case_of_a_file_is_told_with_where_it_was_written(write):
    below = write("title: t\nmodel: stable-diffusion-v1-5\ncases:\n  a: {}\n  b: {dtype: float16}\n", "below.yaml")
    above = write("extends: below.yaml\ncases:\n  c: {dtype: bfloat16}\n", "above.yaml")
    _, cases = load_file(above, vocabulary(), compatible)
    assert [(case.name, place) for case, place in cases] == [("a", (below, 4)), ("b", (below, 5)), ("c", (above, 3))]
