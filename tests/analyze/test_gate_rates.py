"""How often the gate is right where processes vary: a fast version of `make validate-gate`, with its own code."""

import importlib.util
import random
from collections import Counter

import pytest
from support import ROOT

from bench.analyze.gate import GateVerdict

P, R = GateVerdict.PASSED, GateVerdict.REGRESSED


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("validate_gate", ROOT / "tools" / "validate_gate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def chance():
    return random.Random(0)  # noqa: S311 - noise, not a secret


@pytest.mark.parametrize(("slower", "verdict", "least"), [(0.0, P, 198), (0.05, R, 197)])
def test_one_bad_process_does_not_disarm_the_gate(tool, chance, slower, verdict, least):
    """Of 24, 20 % slower; a t-interval passes 75 % of unchanged cases and finds 65 % of those 5 % slower."""
    places = [at % tool.FIRST_PROCESSES for at in range(200)]
    found = Counter(tool.simulate(slower, 0.005, chance, bad=bad) for bad in places)
    assert found[verdict] >= least


@pytest.mark.parametrize("at", range(6))
def test_memory_that_only_varies_does_not_regress(tool, chance, at):
    """By maxima, some case of nearly every such gate did."""
    verdicts = Counter(tool.simulate(0.0, 0.005, chance, tool.PEAKS[at]) for _ in range(4 * tool.CASES))
    assert verdicts[R] == 0


@pytest.mark.parametrize("at", range(4))
def test_tensors_that_grew_are_found_whatever_workspace_was_chosen(tool, chance, at):
    verdicts = [tool.simulate(0.0, 0.005, chance, tool.PEAKS[at], tool.LEAKED_BYTES) for _ in range(200)]
    assert verdicts.count(R) >= 198
