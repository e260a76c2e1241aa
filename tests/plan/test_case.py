"""Cases and plans: equal, hashable, and the same after a journey as JSON."""

import json
from dataclasses import FrozenInstanceError, replace

import pytest

from bench.plan.case import Case, Plan, ScenarioInfo

PLAIN = Case(scenario="sd15", name="fp16", model="stable-diffusion-v1-5")
FULL = Case(
    scenario="sd15",
    name="full",
    model="stable-diffusion-v1-5",
    dtype="float16",
    scheduler="DDIMScheduler",
    scheduler_config={"beta_start": 0.1, "nested": {"a": [1, 2]}},
    vae="taesd",
    optimizations=("tf32", "compile"),
    call={"prompt": ["a", "b"], "height": 512, "guidance_scale": 7.5, "sigmas": [1.0, 0.5]},
    load={"variant": "fp16"},
    seed=(0, 1),
    generator_device="cpu",
    safety_checker=True,
    baseline="sd15/fp16",
    claim={"latency_s": 3.0, "note": "é"},
    note="a note",
    samples=12,
    timeout_s=60.0,
)
PLAN = Plan(
    tables=(
        ScenarioInfo("sd15", "A title", {"document": "x"}, ("scheduler", "height")),
        ScenarioInfo("other", "Another"),
    ),
    cases=(PLAIN, FULL),
)
CHANGES = {
    "scenario": "other", "name": "other", "model": "a/b", "dtype": "bfloat16", "scheduler": None,
    "scheduler_config": {}, "vae": None, "optimizations": ("tf32",), "call": {"prompt": "a"}, "load": {},
    "seed": (1, 0), "generator_device": "device", "safety_checker": False, "baseline": None, "claim": {}, "note": None,
    "samples": None, "timeout_s": 61.0, "threshold": 0.05,
}  # fmt: skip
TOLD = {"scenario", "name", "baseline", "claim", "note", "threshold"}


def through_json(value):
    """Return what is read of a value after it was written as JSON."""
    return json.loads(json.dumps(value.to_json()))


@pytest.mark.parametrize("case", [PLAIN, FULL], ids=str)
def test_a_case_is_equal_to_itself_after_a_journey_as_json(case):
    assert case == Case.from_json(through_json(case))


@pytest.mark.parametrize("case", [PLAIN, FULL], ids=str)
def test_a_case_has_the_same_hash_after_a_journey_as_json(case):
    assert hash(case) == hash(Case.from_json(through_json(case)))


@pytest.mark.parametrize("key", ["optimizations", "seed"])
def test_what_was_a_tuple_is_one_after_a_journey_as_json(key):
    assert getattr(FULL, key) == getattr(Case.from_json(through_json(FULL)), key)


def test_a_list_of_prompts_stays_a_list_after_a_journey_as_json():
    assert Case.from_json(through_json(FULL)).call["prompt"] == ["a", "b"]


def test_a_plan_is_equal_to_itself_after_a_journey_as_json():
    assert Plan.from_json(through_json(PLAN)) == PLAN


def test_a_plan_keeps_the_order_of_its_cases_on_a_journey_as_json():
    assert [case.name for case in Plan.from_json(through_json(PLAN)).cases] == ["fp16", "full"]


def test_a_case_of_json_with_an_unknown_key_is_refused():
    with pytest.raises(TypeError, match="color"):
        Case.from_json({**PLAIN.to_json(), "color": "red"})


def test_a_case_of_json_may_leave_out_what_has_a_default():
    assert Case.from_json({"scenario": "sd15", "name": "fp16", "model": "stable-diffusion-v1-5"}) == PLAIN


def test_every_field_of_a_case_is_changed_by_some_test_below():
    assert set(CHANGES) == set(FULL.to_json())


@pytest.mark.parametrize("field", CHANGES)
def test_cases_that_differ_in_one_field_are_not_equal(field):
    assert replace(FULL, **{field: CHANGES[field]}) != FULL


@pytest.mark.parametrize("field", sorted(set(CHANGES) - TOLD))
def test_a_change_of_what_is_measured_changes_the_settings(field):
    assert replace(FULL, **{field: CHANGES[field]}).settings() != FULL.settings()


@pytest.mark.parametrize("field", sorted(TOLD))
def test_what_is_only_told_of_a_case_does_not_change_the_settings(field):
    assert replace(FULL, **{field: CHANGES[field]}).settings() == FULL.settings()


def test_the_order_of_arguments_does_not_matter():
    first, second = ({"height": 512, "width": 768}, {"width": 768, "height": 512})
    assert replace(PLAIN, call=first) == replace(PLAIN, call=second)


def test_the_order_of_seeds_matters():
    assert replace(PLAIN, seed=(0, 1)) != replace(PLAIN, seed=(1, 0))


def test_equal_cases_are_one_in_a_set():
    assert len({FULL, replace(FULL), Case.from_json(FULL.to_json())}) == 1


def test_a_case_is_equal_to_nothing_but_a_case():
    assert FULL.to_json() != FULL


def test_a_case_prints_as_its_key():
    assert f"{PLAIN}" == "sd15/fp16"


def test_a_case_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PLAIN.dtype = "float16"


def test_the_json_of_a_case_shares_nothing_with_it():
    FULL.to_json()["call"]["prompt"].append("c")
    assert FULL.call["prompt"] == ["a", "b"]
