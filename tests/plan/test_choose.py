"""Choosing cases with `--only`, and the baselines that come with them."""

import pytest

from bench.errors import InputError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.load import choose


def case(scenario, name, baseline=None):
    """Return a case; `baseline` is the name of another case of its scenario."""
    key = f"{scenario}/{baseline}" if baseline else None
    return Case(scenario=scenario, name=name, model="a/b", baseline=key)


PLAN = Plan(
    scenarios=(ScenarioInfo("one", "One"), ScenarioInfo("two", "Two")),
    cases=(
        case("one", "slow", "slow"),
        case("one", "fp16", "slow"),
        case("one", "tf32", "slow"),
        case("two", "fp16"),
        case("two", "large", "large"),
        case("two", "tiled", "large"),
    ),
)


def keys(*patterns):
    """Return the keys of the cases that are kept."""
    return [kept.key for kept in choose(PLAN, patterns)[0].cases]


def refusal(*patterns, plan=PLAN):
    """Return the message with which patterns are refused."""
    with pytest.raises(InputError) as caught:
        choose(plan, patterns)
    return str(caught.value)


def test_without_a_pattern_the_plan_stays_as_it_is():
    assert choose(PLAN, []) == (PLAN, [])


def test_a_key_selects_its_case():
    assert keys("two/fp16") == ["two/fp16"]


def test_a_pattern_selects_every_match():
    assert keys("*/fp16") == ["one/slow", "one/fp16", "two/fp16"]


def test_a_star_selects_a_whole_scenario():
    assert keys("two/*") == ["two/fp16", "two/large", "two/tiled"]


def test_the_order_of_the_patterns_does_not_change_the_order_of_the_plan():
    assert keys("two/fp16", "one/slow") == ["one/slow", "two/fp16"]


def test_a_case_that_two_patterns_match_is_kept_once():
    assert keys("two/fp16", "two/f*") == ["two/fp16"]


def test_the_baseline_of_a_selected_case_is_kept():
    assert keys("one/tf32") == ["one/slow", "one/tf32"]


def test_a_case_with_its_own_baseline_keeps_that_one():
    assert keys("two/tiled") == ["two/large", "two/tiled"]


@pytest.mark.parametrize(
    ("patterns", "added"),
    [
        (["one/tf32"], ["one/slow"]),
        (["one/tf32", "two/tiled"], ["one/slow", "two/large"]),
        (["one/tf32", "one/fp16"], ["one/slow"]),
        (["one/*"], []),
        (["one/slow"], []),
        (["two/fp16"], []),
    ],
)
def test_the_baselines_that_no_pattern_matched_are_returned(patterns, added):
    assert choose(PLAN, patterns)[1] == added


def test_a_scenario_without_a_selected_case_is_dropped():
    assert [info.scenario for info in choose(PLAN, ["two/fp16"])[0].scenarios] == ["two"]


def test_choosing_does_not_change_the_plan():
    before = PLAN.to_json()
    choose(PLAN, ["two/fp16"])
    assert PLAN.to_json() == before


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("one/fp6", "did you mean 'one/fp16'?"),
        ("One/fp16", "did you mean 'one/fp16'?"),
        ("zzz", "choose from: one/fp16"),
        ("", "choose from: one/fp16"),
        ("[", "choose from: one/fp16"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused_with_a_hint(pattern, hint):
    assert refusal(pattern).startswith(f"--only '{pattern}' matches no case; {hint}")


def test_one_pattern_without_a_match_is_refused_even_if_others_match():
    assert refusal("one/fp16", "tow/fp16") == "--only 'tow/fp16' matches no case; did you mean 'two/fp16'?"


def test_a_pattern_on_an_empty_plan_is_refused():
    assert refusal("a", plan=Plan((), ())) == "--only 'a' matches no case; the plan is empty"
