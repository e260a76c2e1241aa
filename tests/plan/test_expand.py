"""From a scenario to its cases: settings overridden, the matrix multiplied, every row named."""

import pytest

from bench.pipelines.diffusers_api import vocabulary
from bench.plan.load import load

HEAD = "title: t\nmodel: someone/new\n"


@pytest.fixture
def expand(write):
    """Return a function that loads a scenario from its text and returns the cases by name."""

    def cases(text, compatible=list):
        return {case.name: case for case in load([write(HEAD + text)], vocabulary(), compatible).cases}

    return cases


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("model", "someone/new"),
        ("dtype", "float32"),
        ("scheduler", None),
        ("scheduler_config", {}),
        ("vae", None),
        ("optimizations", ()),
        ("call", {}),
        ("load", {}),
        ("seed", 0),
        ("generator_device", "device"),
        ("safety_checker", False),
        ("baseline", None),
        ("claim", {}),
        ("note", None),
        ("samples", None),
        ("timeout_s", 1800.0),
    ],
)
def test_a_case_without_settings_has_the_documented_defaults(expand, setting, value):
    assert getattr(expand("cases: {a: {}}\n")["a"], setting) == value


@pytest.mark.parametrize("nothing", ["dtype:", "call:", "seed:", "optimizations:", "matrix:", "source:", "baseline:"])
def test_a_setting_without_a_value_is_ignored(expand, nothing):
    assert expand(f"cases: {{a: {{}}}}\n{nothing}\n") == expand("cases: {a: {}}\n")


def test_a_setting_at_the_top_applies_to_every_case(expand):
    cases = expand("dtype: float16\ncases: {a: {}, b: {seed: 1}}\n")
    assert [case.dtype for case in cases.values()] == ["float16", "float16"]


def test_a_setting_of_a_case_overrides_the_top(expand):
    assert expand("dtype: float16\ncases: {a: {dtype: bfloat16}}\n")["a"].dtype == "bfloat16"


@pytest.mark.parametrize("key", ["call", "scheduler_config"])
def test_arguments_of_a_case_override_those_at_the_top_one_by_one(expand, key):
    cases = expand(f"{key}: {{eta: 0.5, clip_skip: 1}}\ncases: {{a: {{{key}: {{clip_skip: 2}}}}}}\n")
    assert getattr(cases["a"], key) == {"eta": 0.5, "clip_skip": 2}


def test_load_arguments_of_a_case_override_those_at_the_top_one_by_one(expand):
    cases = expand("load: {variant: fp16, revision: main}\ncases: {a: {load: {revision: v1}}}\n")
    assert cases["a"].load == {"variant": "fp16", "revision": "v1"}


def test_the_arguments_of_one_case_do_not_affect_the_next(expand):
    assert expand("call: {eta: 0.5}\ncases: {a: {call: {eta: 1.0}}, b: {}}\n")["b"].call == {"eta": 0.5}


@pytest.mark.parametrize(("own", "expected"), [("[compile]", ("compile",)), ("[]", ()), ("", ("tf32",))])
def test_optimizations_of_a_case_replace_those_at_the_top(expand, own, expected):
    case = expand(f"optimizations: [tf32]\ncases:\n  a: {{optimizations: {own}}}\n")["a"]
    assert case.optimizations == expected


@pytest.mark.parametrize("written", ["[compile, channels_last, tf32]", "[tf32, tf32, compile, channels_last]"])
def test_optimizations_are_unique_and_in_the_order_they_are_applied(expand, written):
    case = expand(f"cases: {{a: {{optimizations: {written}}}}}\n")["a"]
    assert case.optimizations == ("tf32", "channels_last", "compile")


def test_the_order_in_which_optimizations_are_written_does_not_matter(expand):
    one, other = (
        expand(f"cases: {{a: {{optimizations: {order}}}}}\n")["a"] for order in ("[compile, tf32]", "[tf32, compile]")
    )
    assert one == other


@pytest.mark.parametrize(
    ("written", "expected"),
    [("{call: {num_images_per_prompt: 2}, seed: [3, 4]}", (3, 4)), ("{seed: 5}", 5), ("{seed: [5]}", (5,))],
)
def test_a_seed_is_one_number_or_one_per_image(expand, written, expected):
    assert expand(f"cases: {{a: {written}}}\n")["a"].seed == expected


def test_a_list_of_prompts_accepts_one_seed_each(expand):
    assert expand("call: {prompt: [a, b]}\nseed: [3, 4]\ncases: {a: {}}\n")["a"].call["prompt"] == ["a", "b"]


def test_a_baseline_becomes_a_key(expand):
    assert expand("baseline: a\ncases: {a: {}, b: {seed: 1}}\n")["b"].baseline == "scenario/a"


def test_a_baseline_may_follow_the_case_that_needs_it(expand):
    assert expand("baseline: b\ncases: {a: {}, b: {seed: 1}}\n")["a"].baseline == "scenario/b"


def test_a_case_may_have_its_own_baseline(expand):
    cases = expand("baseline: a\ncases: {a: {}, b: {seed: 1}, c: {seed: 2, baseline: b}}\n")
    assert [case.baseline for case in cases.values()] == ["scenario/a", "scenario/a", "scenario/b"]


def test_a_claim_contains_only_what_was_written(expand):
    cases = expand("cases: {a: {claim: {latency_s: 30, approximate: true, note: x}}}\n")
    assert cases["a"].claim == {"latency_s": 30.0, "approximate": True, "note": "x"}


def test_cases_keep_the_order_in_which_they_were_written(expand):
    assert list(expand("cases: {z: {seed: 1}, a: {seed: 2}, m: {seed: 3}}\n")) == ["z", "a", "m"]


def test_the_name_of_its_file_is_part_of_a_case(expand):
    assert str(expand("cases: {a: {}}\n")["a"]) == "scenario/a"


def test_every_combination_of_a_matrix_is_a_case(expand):
    cases = expand("matrix: {scheduler: [DDIMScheduler, PNDMScheduler], num_inference_steps: [20, 50]}\n")
    assert list(cases) == ["DDIMScheduler-20", "DDIMScheduler-50", "PNDMScheduler-20", "PNDMScheduler-50"]


def test_an_axis_that_is_a_setting_sets_it(expand):
    assert [case.dtype for case in expand("matrix: {dtype: [float16, bfloat16]}\n").values()] == ["float16", "bfloat16"]


def test_an_axis_that_is_not_a_setting_is_a_call_argument(expand):
    cases = expand("call: {width: 768}\nmatrix: {height: [512, 768]}\n")
    assert [case.call for case in cases.values()] == [{"width": 768, "height": 512}, {"width": 768, "height": 768}]


def test_an_axis_overrides_the_same_argument_at_the_top_and_in_a_case(expand):
    cases = expand("call: {height: 8}\ncases: {a: {call: {height: 16}}}\nmatrix: {height: [512]}\n")
    assert cases["a-512"].call["height"] == 512


def test_the_values_of_an_optimizations_axis_are_lists(expand):
    cases = expand("matrix: {optimizations: [[], [tf32], [compile, tf32]]}\n")
    assert [case.optimizations for case in cases.values()] == [(), ("tf32",), ("tf32", "compile")]


def test_the_values_of_a_seed_axis_may_be_lists(expand):
    cases = expand("call: {num_images_per_prompt: 2}\nmatrix: {seed: [7, [0, 1]]}\n")
    assert [case.seed for case in cases.values()] == [7, (0, 1)]


def test_cases_are_crossed_with_the_matrix(expand):
    cases = expand("cases: {a: {}, b: {dtype: float16}}\nmatrix: {height: [512, 768]}\n")
    assert list(cases) == ["a-512", "a-768", "b-512", "b-768"]


def test_a_crossed_case_keeps_its_own_settings(expand):
    cases = expand("cases: {a: {}, b: {dtype: float16, call: {width: 512}}}\nmatrix: {height: [768]}\n")
    assert cases["b-768"].dtype == "float16"
    assert cases["b-768"].call == {"width": 512, "height": 768}


def test_a_crossed_case_may_be_the_baseline(expand):
    cases = expand("baseline: a-512\ncases: {a: {}, b: {seed: 1}}\nmatrix: {height: [512, 768]}\n")
    assert {case.baseline for case in cases.values()} == {"scenario/a-512"}


def test_an_exclusion_removes_combinations(expand):
    cases = expand("matrix: {height: [512, 768], width: [512, 768], exclude: [{height: 512, width: 768}]}\n")
    assert list(cases) == ["512-512", "768-512", "768-768"]


def test_an_inclusion_adds_a_combination(expand):
    assert list(expand("matrix: {height: [512, 768], include: [{height: 1024}]}\n")) == ["512", "768", "1024"]


def test_an_inclusion_adds_settings_to_the_combination_it_agrees_with(expand):
    cases = expand("matrix: {height: [512, 768], include: [{height: 768, dtype: float16}]}\n")
    assert [case.dtype for case in cases.values()] == ["float32", "float16"]


def test_an_inclusion_may_add_a_claim(expand):
    cases = expand("matrix: {height: [512, 768], include: [{height: 768, claim: {latency_s: 3}}]}\n")
    assert [case.claim for case in cases.values()] == [{}, {"latency_s": 3.0}]


def test_an_inclusion_may_replace_everything_that_was_excluded(expand):
    assert list(expand("matrix: {height: [512], exclude: [{height: 512}], include: [{height: 768}]}\n")) == ["768"]


def test_a_case_that_only_an_inclusion_made_is_named_after_its_values(expand):
    assert list(expand("matrix: {include: [{height: 512}, {height: 768}]}\n")) == ["512", "768"]


def test_compatible_stands_for_the_schedulers_of_the_model(expand):
    schedulers = {"someone/new": ["DDIMScheduler", "LMSDiscreteScheduler"]}
    cases = expand("matrix: {scheduler: compatible, num_inference_steps: [20]}\n", schedulers.__getitem__)
    assert [case.scheduler for case in cases.values()] == ["DDIMScheduler", "LMSDiscreteScheduler"]


def test_compatible_schedulers_are_only_asked_for_when_an_axis_says_so(expand):
    assert list(expand("matrix: {scheduler: [DDIMScheduler]}\n", {}.__getitem__)) == ["DDIMScheduler"]


def test_compatible_schedulers_may_be_excluded(expand):
    schedulers = {"someone/new": ["DDIMScheduler", "LMSDiscreteScheduler"]}
    matrix = "matrix: {scheduler: compatible, exclude: [{scheduler: DDIMScheduler}, {scheduler: NotInstalled}]}\n"
    assert list(expand(matrix, schedulers.__getitem__)) == ["LMSDiscreteScheduler"]
