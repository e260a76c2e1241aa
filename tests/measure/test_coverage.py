"""How often an interval holds the true median under the real rules: few processes of `make validate-intervals`."""

import importlib.util
import random

import pytest
from support import ROOT

PROCESSES = 150
"""The standard error of a coverage of 95 % is then 1.8 %, so the seed is one that is not among the unlucky ones."""


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("validate_intervals", ROOT / "tools" / "validate_intervals.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "calls",
    [
        "Gauss, sd 2 %", "lognormal, sigma 0.8", "Student's t, 2 degrees of freedom",
        "two states 3 % apart, 45 % slow, independent", "AR(1) 0.5, sd 1 %", "AR(1) 0.8, sd 1 %", "AR(1) 0.8, sd 3 %",
    ],
)  # fmt: skip
def test_an_interval_holds_the_median_of_calls_that_may_resemble_their_neighbors(tool, calls):
    make, truth = tool.MODELS[calls]
    coverage = tool.coverage(make, truth, PROCESSES, random.Random(1))  # noqa: S311 - no secret
    assert coverage.held / coverage.shown >= 0.93
    assert coverage.shown / PROCESSES >= 0.8


@pytest.mark.parametrize("call_s", [1.0, 7.0, 9.0])
def test_stationary_noise_is_warm(tool, call_s):
    assert tool.never_warm(tool.STATIONARY["Gauss, sd 5 %"], 2000, random.Random(0), call_s) < 0.05  # noqa: S311


@pytest.mark.parametrize("call_s", [1.0, 7.0])
@pytest.mark.parametrize(
    "calls", ["3 % faster in every triple, noise 0.4 %", "3 % faster after every triple, noise 0.4 %"]
)
def test_calls_that_keep_changing_are_never_warm(tool, calls, call_s):
    assert tool.never_warm(tool.CHANGING[calls], 500, random.Random(0), call_s) > 0.8  # noqa: S311
