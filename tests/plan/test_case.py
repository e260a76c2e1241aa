"""Cases and plans: equal, hashable, and unchanged by a round trip through JSON."""

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
    scenarios=(
        ScenarioInfo("sd15", "A title", {"document": "x"}, ("scheduler", "height")),
        ScenarioInfo("other", "Another"),
    ),
    cases=(PLAIN, FULL),
)
CHANGES = {
    "scenario": "other", "name": "other", "model": "a/b", "dtype": "bfloat16", "scheduler": None,
    "pipeline": "P", "components": {"unet": "./x"},
    "lora": ({"rank": 4, "weight": 1.0, "fused": False},), "ip_adapter": {"path": "x.safetensors", "weight": 1.0},
    "scheduler_config": {}, "vae": None, "optimizations": ("tf32",), "call": {"prompt": "a"},
    "load": {},
    "seed": (1, 0), "generator_device": "device", "safety_checker": False, "baseline": None, "claim": {}, "note": None,
    "samples": None, "timeout_s": 61.0, "threshold": 0.05,
}  # fmt: skip
EXCLUDED = {"scenario", "name", "baseline", "claim", "note", "threshold"}


def through_json(value):
    """Return the JSON object that is read back after a value was written."""
    return json.loads(json.dumps(value.to_json()))


@pytest.mark.parametrize("case", [PLAIN, FULL], ids=str)
def test_a_case_survives_a_round_trip_through_json(case):
    assert Case.from_json(through_json(case)) == case


@pytest.mark.parametrize("case", [PLAIN, FULL], ids=str)
def test_a_round_trip_through_json_keeps_the_hash_of_a_case(case):
    assert hash(Case.from_json(through_json(case))) == hash(case)


@pytest.mark.parametrize("key", ["optimizations", "seed"])
def test_a_round_trip_through_json_keeps_tuples(key):
    assert getattr(Case.from_json(through_json(FULL)), key) == getattr(FULL, key)


def test_a_round_trip_through_json_keeps_a_list_of_prompts():
    assert Case.from_json(through_json(FULL)).call["prompt"] == ["a", "b"]


def test_a_plan_survives_a_round_trip_through_json():
    assert Plan.from_json(through_json(PLAN)) == PLAN


def test_a_round_trip_through_json_keeps_the_order_of_the_cases():
    assert [case.name for case in Plan.from_json(through_json(PLAN)).cases] == ["fp16", "full"]


def test_an_unknown_key_in_the_json_of_a_case_is_refused():
    with pytest.raises(TypeError, match="color"):
        Case.from_json({**PLAIN.to_json(), "color": "red"})


def test_the_json_of_a_case_may_omit_whatever_has_a_default():
    assert Case.from_json({"scenario": "sd15", "name": "fp16", "model": "stable-diffusion-v1-5"}) == PLAIN


def test_the_tests_below_change_every_field_of_a_case():
    assert set(CHANGES) == set(FULL.to_json())


@pytest.mark.parametrize("field", CHANGES)
def test_cases_that_differ_in_one_field_are_not_equal(field):
    assert replace(FULL, **{field: CHANGES[field]}) != FULL


@pytest.mark.parametrize("field", sorted(set(CHANGES) - EXCLUDED))
def test_changing_what_is_measured_changes_the_settings(field):
    assert replace(FULL, **{field: CHANGES[field]}).settings() != FULL.settings()


@pytest.mark.parametrize("field", sorted(EXCLUDED))
def test_changing_a_name_or_a_claim_does_not_change_the_settings(field):
    assert replace(FULL, **{field: CHANGES[field]}).settings() == FULL.settings()


def test_the_order_of_arguments_does_not_matter():
    first, second = {"height": 512, "width": 768}, {"width": 768, "height": 512}
    assert replace(PLAIN, call=first) == replace(PLAIN, call=second)


def test_the_order_of_seeds_matters():
    assert replace(PLAIN, seed=(0, 1)) != replace(PLAIN, seed=(1, 0))


def test_a_set_holds_equal_cases_once():
    assert len({FULL, replace(FULL), Case.from_json(FULL.to_json())}) == 1


def test_a_case_is_not_equal_to_its_json():
    assert FULL.to_json() != FULL


def test_a_case_prints_as_its_key():
    assert f"{PLAIN}" == "sd15/fp16"


def test_a_case_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PLAIN.dtype = "float16"


def test_changing_the_json_of_a_case_does_not_change_the_case():
    FULL.to_json()["call"]["prompt"].append("c")
    assert FULL.call["prompt"] == ["a", "b"]
