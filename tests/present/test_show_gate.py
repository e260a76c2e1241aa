"""A gate's verdicts as a grid, in one line, and as JUnit XML."""

from xml.etree import ElementTree as ET

import pytest
from analyze.make import result

from bench.analyze.comparison import Difference, EnvironmentDifference, Pair
from bench.analyze.gate import GateResult, GateVerdict, Judged, Reason
from bench.present import gate, verdicts, words
from bench.present.grid import Tone
from bench.records.outcomes import Tiny
from bench.statistics import Interval

REASONS = {
    GateVerdict.PASSED: Reason.NOT_SLOWER,
    GateVerdict.REGRESSED: Reason.SLOWER,
    GateVerdict.INCONCLUSIVE: Reason.UNDECIDED,
    GateVerdict.NOT_COMPARABLE: Reason.MISSING,
}


def judged(verdict, name="x", **changes):
    pair = Pair(f"sd/{name}", result(name), result(name), 1.05, Interval(1.04, 1.06), (6, 6), **changes)
    return Judged(pair, 0.03, verdict, (REASONS[verdict],))


def gated(*found, **options):
    return GateResult("old", "new", found, **options)


ALL = gated(*(judged(verdict, verdict) for verdict in GateVerdict))


def test_every_case_has_its_verdict_and_its_reasons():
    (row,) = gate.table(gated(judged(GateVerdict.REGRESSED))).rows
    assert [cell.text for cell in row] == ["sd/x", "regressed", verdicts.gate_reasons(judged(GateVerdict.REGRESSED))]


def test_every_verdict_has_its_tone():
    assert [row[1].tone for row in gate.table(ALL).rows] == [Tone.GOOD, Tone.BAD, Tone.OPEN, Tone.OPEN]


def test_the_conclusion_counts_the_verdicts():
    assert gate.conclusion(ALL) == "gate: regressed (1 passed, 1 regressed, 1 inconclusive, 1 not comparable)"


def test_the_conclusion_of_a_gate_without_cases():
    assert gate.conclusion(gated()) == "gate: not comparable (no case was judged)"


@pytest.mark.parametrize(("side_by_side", "note"), [(True, verdicts.SIDE_BY_SIDE), (False, verdicts.STORED)])
def test_what_a_gate_is_worth_is_noted(side_by_side, note):
    assert note in gate.table(gated(judged(GateVerdict.PASSED), side_by_side=side_by_side)).notes


def test_what_differs_is_noted():
    torch = EnvironmentDifference("torch", (("2.9.0",), ("2.10.0",)))
    case = judged(GateVerdict.PASSED, effective=(Difference("attention", "a", "b"),), psnr_db=20.0)
    assert gate.table(gated(case, environment=(torch,), only_in_new=("sd/y",))).notes[:3] == (
        "torch: 2.9.0 -> 2.10.0",
        "different images from the same seeds, which can be chance with random weights: sd/x",
        "in effect: attention: a -> b (sd/x)",
    )


def test_a_case_that_only_the_new_side_has_is_noted():
    notes = gate.table(gated(only_in_new=("sd/y",))).notes
    assert notes[-1] == "sd/y: not judged, because only the new side has it"


def timed():
    """A gate side by side, of two cases, one of which the new side does not have."""
    pairs = [
        Pair("sd/x", result("x", wall_s=600.0), result("x", wall_s=660.0)),
        Pair("sd/y", result("y", wall_s=300.0), None),
    ]
    found = [Judged(pair, 0.03, GateVerdict.NOT_COMPARABLE, (Reason.MISSING,)) for pair in pairs]
    return gated(*found, side_by_side=True, duration_s=1800.0)


def test_each_side_of_a_case_has_its_duration():
    grid = gate.table(timed())
    assert grid.header[-2:] == ["old took", "new took"]
    assert [[cell.text for cell in row[-2:]] for row in grid.rows] == [["10 min", "11 min"], ["5 min", ""]]


def test_the_duration_of_the_whole_gate_is_noted_with_that_of_its_sides():
    assert gate.table(timed()).notes[-1] == (
        "The gate took 30 min: 15 min for old, 11 min for new, and the rest to start and to download."
    )


def test_the_duration_of_stored_results_is_not_that_of_a_gate():
    assert gate.table(gated(judged(GateVerdict.PASSED))).header == ["case", "verdict", "reason"]


def test_a_gate_without_cases_says_how_long_it_took_all_the_same():
    assert "The gate took 30 min: 0 s for old" in gate.table(gated(side_by_side=True, duration_s=1800.0)).notes[-1]


def test_tiny_models_are_warned_of():
    pair = Pair("sd/x", result(size="tiny"), result(size="tiny"))
    found = gated(Judged(pair, 0.03, GateVerdict.NOT_COMPARABLE, (Reason.MISSING,)))
    assert gate.table(found).warning == words.TINY_WARNINGS[Tiny.ALL]


def test_markdown_begins_with_the_title_and_the_conclusion():
    assert gate.as_markdown(ALL).split("\n\n")[:2] == ["## new against old", f"**{gate.conclusion(ALL)}**"]


def test_the_terminal_ends_with_the_conclusion(capsys):
    gate.show(ALL)
    assert capsys.readouterr().out.splitlines()[-1] == gate.conclusion(ALL)


def test_junit_has_a_test_for_each_case_and_only_a_pass_passes():
    (suite,) = ET.fromstring(gate.as_junit(ALL).split("\n", 1)[1])  # noqa: S314 - written a moment ago
    assert [[child.tag for child in test] for test in suite] == [
        ["system-out"],
        ["failure", "system-out"],
        ["skipped", "system-out"],
        ["error", "system-out"],
    ]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }


def test_junit_leaves_out_what_xml_cannot_contain():
    case = judged(GateVerdict.PASSED, name="a\x00\x1b\ud800b")
    (test,) = ET.fromstring(gate.as_junit(gated(case)).split("\n", 1)[1]).iter("testcase")  # noqa: S314
    assert test.get("name") == "ab"
