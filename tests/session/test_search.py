"""What is tried next, given what was found so far: made-up scores, no clock, no model."""

import pytest

from bench.session.search import Config, Space, finalists, helpful, propose, reference, untried

NONE = frozenset()
SPACE = Space(
    dtypes=("float32", "float16"),
    optimizations={
        "layout": NONE,
        "fused": frozenset({"sliced"}),
        "sliced": frozenset({"fused"}),
        "compile": NONE,
    },
)


def searched(cost, space=SPACE):
    """Try what is proposed until nothing is left; `cost` returns a configuration's cost, None for a failure."""
    scores = {}
    while (config := propose(space, scores)) is not None:
        assert config not in scores
        found = cost(config)
        scores[config] = found if found is None or isinstance(found, tuple) else (0.0, found)
    return scores


def costs(gains, half=0.5):
    """Return a cost that is a product: one factor for half precision, and one per optimization."""

    def cost(config):
        found = 1.0 if config.dtype == "float32" else half
        for name in config.optimizations:
            found *= gains.get(name, 1.0)
        return found

    return cost


def test_plain_dtypes_come_first_and_the_references_before_all():
    assert list(searched(costs({})))[:2] == [Config("float32"), Config("float16")]


def test_every_optimization_is_tried_alone_on_the_best_dtype():
    singles = [config for config in searched(costs({})) if config.optimizations]
    assert singles == [Config("float16", (name,)) for name in SPACE.optimizations]


def test_helpful_optimizations_are_combined_best_first():
    scores = searched(costs({"layout": 0.9, "compile": 0.7}))
    assert list(scores)[-1] == Config("float16", ("layout", "compile"))


def test_a_combination_has_the_order_of_the_table():
    scores = searched(costs({"layout": 0.9, "compile": 0.7, "sliced": 0.8}))
    assert list(scores)[-1] == Config("float16", ("layout", "sliced", "compile"))


def test_what_conflicts_is_never_tried_together():
    scores = searched(costs({"fused": 0.8, "sliced": 0.9}))
    assert not [config for config in scores if {"fused", "sliced"} <= set(config.optimizations)]


def test_what_does_not_help_alone_is_not_combined():
    scores = searched(costs({"layout": 0.995, "compile": 0.7}))
    assert max(len(config.optimizations) for config in scores) == 1


def test_what_fails_is_not_combined():
    scores = searched(lambda config: None if "layout" in config.optimizations else costs({"compile": 0.7})(config))
    assert Config("float16", ("layout", "compile")) not in scores


def test_after_a_combination_that_does_not_help_the_next_one_is_tried():
    gains = {"layout": 0.9, "fused": 0.8, "compile": 0.7}

    def cost(config):
        return 9.0 if {"fused", "compile"} <= set(config.optimizations) else costs(gains)(config)

    assert list(searched(cost))[-1] == Config("float16", ("layout", "compile"))


def test_if_nothing_works_with_the_best_the_next_best_are_combined():
    gains = {"layout": 0.9, "fused": 0.8, "compile": 0.7}

    def cost(config):
        together = len(config.optimizations) > 1 and "compile" in config.optimizations
        return None if together else costs(gains)(config)

    assert list(searched(cost))[-1] == Config("float16", ("layout", "fused"))


def test_if_the_best_are_combined_the_next_best_are_not_combined_without_it():
    scores = searched(costs({"layout": 0.9, "fused": 0.8, "compile": 0.7}))
    assert Config("float16", ("layout", "fused")) not in scores


def test_if_no_plain_dtype_fits_optimizations_are_tried_in_half_precision():
    scores = searched(lambda config: 1.0 if "sliced" in config.optimizations else None)
    assert scores[Config("float16", ("sliced",))] == (0.0, 1.0)


def test_fitting_into_memory_matters_more_than_time():
    def cost(config):
        return (0.0, 9.0) if "sliced" in config.optimizations else (1e9, 1.0)

    assert finalists(SPACE, searched(cost), most=1) == [Config("float16", ("sliced",))]


def test_what_does_not_fit_into_memory_is_not_a_finalist():
    assert finalists(SPACE, {Config("float32"): (0.0, 1.0), Config("float16"): (5.0, 0.5)}, most=4) == []


def test_the_reference_is_not_a_finalist():
    scores = {Config("float32"): (0.0, 1.0), Config("float16"): (0.0, 2.0)}
    assert finalists(SPACE, scores, most=4) == [Config("float16")]


def test_an_optimization_that_gains_nothing_does_not_make_a_finalist():
    scores = searched(costs({"layout": 0.9, "compile": 0.9999}))
    assert finalists(SPACE, scores, most=4) == [Config("float16", ("layout",)), Config("float16")]


def test_the_reference_is_the_first_plain_dtype_that_ran():
    assert reference(SPACE, {Config("float32"): None, Config("float16"): (0.0, 1.0)}) == Config("float16")


def test_what_helps_alone_is_listed_best_first():
    scores = searched(costs({"layout": 0.9, "compile": 0.7, "sliced": 1.2}))
    assert helpful(SPACE, scores) == [Config("float16", ("compile",)), Config("float16", ("layout",))]


def test_what_was_never_tried_is_named():
    scores = {Config("float32"): (0.0, 1.0), Config("float32", ("layout",)): None}
    assert untried(SPACE, scores) == ["float16", "fused", "sliced", "compile"]


@pytest.mark.parametrize(("config", "name"), [(Config("f"), "f"), (Config("f", ("a", "b")), "f+a+b")])
def test_a_configuration_is_named_after_its_parts(config, name):
    assert config.name == name
