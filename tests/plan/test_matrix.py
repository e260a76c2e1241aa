"""Multiplying axes, with `include` and `exclude` as in GitHub Actions."""

import re

import pytest

from bench.plan.matrix import include, multiply, name

FRUIT = [{"fruit": "apple", "animal": "cat"}, {"fruit": "apple", "animal": "dog"},
         {"fruit": "pear", "animal": "cat"}, {"fruit": "pear", "animal": "dog"}]  # fmt: skip


def test_every_combination_occurs_once_and_the_last_axis_varies_fastest():
    assert multiply({"fruit": ["apple", "pear"], "animal": ["cat", "dog"]}) == FRUIT


def test_one_axis_is_its_values():
    assert multiply({"steps": [20, 50]}) == [{"steps": 20}, {"steps": 50}]


def test_an_axis_without_values_leaves_nothing():
    assert multiply({"fruit": ["apple"], "animal": []}) == []


def test_an_exclusion_with_all_axes_removes_one_combination():
    assert multiply({"a": [1, 2], "b": [3, 4]}, [{"a": 1, "b": 4}]) == [
        {"a": 1, "b": 3},
        {"a": 2, "b": 3},
        {"a": 2, "b": 4},
    ]


def test_an_exclusion_with_one_axis_removes_all_its_combinations():
    assert multiply({"a": [1, 2], "b": [3, 4]}, [{"a": 1}]) == [{"a": 2, "b": 3}, {"a": 2, "b": 4}]


def test_exclusions_add_up():
    assert multiply({"a": [1, 2, 3]}, [{"a": 1}, {"a": 3}]) == [{"a": 2}]


@pytest.mark.parametrize("entry", [{"a": 3}, {"a": "1"}, {"a": 1, "c": 1}])
def test_an_exclusion_that_agrees_with_nothing_removes_nothing(entry):
    assert multiply({"a": [1, 2]}, [entry]) == [{"a": 1}, {"a": 2}]


def test_the_documented_example_of_github_actions_gives_the_documented_result():
    """docs.github.com, "Running variations of jobs in a workflow", expanding or adding matrix configurations."""
    entries = [
        {"color": "green"},
        {"color": "pink", "animal": "cat"},
        {"fruit": "apple", "shape": "circle"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert include(FRUIT, entries, ["fruit", "animal"]) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_an_inclusion_never_overwrites_the_value_of_an_axis():
    assert include([{"a": 1}], [{"a": 2}], ["a"]) == [{"a": 1}, {"a": 2}]


def test_an_inclusion_without_combinations_becomes_one():
    assert include([], [{"a": 1}, {"a": 2}], ["a"]) == [{"a": 1}, {"a": 2}]


def test_an_inclusion_does_not_change_its_input():
    given = [{"a": 1}]
    include(given, [{"b": 2}], ["a"])
    assert given == [{"a": 1}]


def test_two_inclusions_of_one_entry_are_independent():
    first, second = include([], [entry := {"a": 1}, entry], ["a"])
    assert first is not second


@pytest.mark.parametrize(
    ("combination", "expected"),
    [
        ({"scheduler": "DDIMScheduler", "num_inference_steps": 20}, "DDIMScheduler-20"),
        ({"num_inference_steps": 20, "scheduler": "DDIMScheduler"}, "DDIMScheduler-20"),
        ({"scheduler": "DDIMScheduler"}, "DDIMScheduler"),
        ({"scheduler": "DDIMScheduler", "note": "beside the axes"}, "DDIMScheduler"),
        ({"scheduler": None, "num_inference_steps": 20}, "None-20"),
    ],
)
def test_a_combination_is_named_after_its_axis_values_in_the_order_of_the_axes(combination, expected):
    assert name(combination, ["scheduler", "num_inference_steps"]) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a photo of a cat", "a_photo_of_a_cat"),
        ("org/model-1.5", "org_model_1.5"),
        ("", "none"),
        ("///", "none"),
        ([], "none"),
        (["tf32", "channels_last"], "tf32+channels_last"),
        ({"height": 512, "width": 768}, "height.512+width.768"),
        (7.5, "7.5"),
        (True, "True"),
        ("x" * 100, "x" * 40),
    ],
)
def test_a_value_becomes_a_word_that_is_safe_in_a_file_name(value, expected):
    assert name({"axis": value}, ["axis"]) == expected


@pytest.mark.parametrize("value", ["a/b", "..", ".", "../..", "-x", "+x", "é", "\n", "a\\b", -1, "", "~", "\0"])
def test_every_value_gives_a_name_that_a_case_may_have(value):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name({"axis": value}, ["axis"]))
