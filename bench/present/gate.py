"""The gate's verdicts on the terminal, as Markdown (the summary of a CI job) and as JUnit XML."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

from bench.analyze.gate import GateResult, GateVerdict
from bench.present import render, verdicts, words
from bench.present.grid import ALWAYS, Cell, Column, Grid
from bench.records.case_result import CaseResult
from bench.text import printed_lines
from bench.units import duration, listed

JUNIT_TAGS = {
    GateVerdict.REGRESSED: "failure",
    GateVerdict.NOT_COMPARABLE: "error",
    GateVerdict.INCONCLUSIVE: "skipped",
}
"""A skipped test has not passed; the exit code of the gate is 3 all the same."""
_NOT_IN_XML = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
COLUMNS = (
    Column("case", left=True, wraps=True, keep=ALWAYS),
    Column("verdict", left=True, keep=ALWAYS),
    Column("reason", left=True, wraps=True, keep=ALWAYS),
)


def conclusion(gated: GateResult) -> str:
    """Return the verdict in one line, with how many cases had which."""
    counts = Counter(each.verdict for each in gated.judged)
    found = ", ".join(f"{counts[verdict]} {verdicts.spelled(verdict)}" for verdict in GateVerdict if counts[verdict])
    return f"gate: {verdicts.spelled(gated.verdict)} ({found or 'no case was judged'})"


def table(gated: GateResult) -> Grid:
    """Return one row per judged case."""
    rows = tuple(
        (
            Cell(each.pair.key, tag=words.label(each.pair.new) if each.pair.new else ""),
            Cell(verdicts.spelled(each.verdict), tone=verdicts.GATE_TONES[each.verdict]),
            Cell(verdicts.gate_reasons(each)),
            *(_duration(side) for side in (each.pair.base, each.pair.new)),
        )
        for each in gated.judged
    )
    tiny = words.caution(each.pair.new for each in gated.judged if each.pair.new is not None)
    columns = (*COLUMNS, *(Column(f"{side} took", keep=1) for side in (gated.base, gated.new)))
    found = Grid(f"{gated.new} against {gated.base}", columns, rows, tiny, tuple(_notes(gated)))
    return found if gated.side_by_side else found.select(range(len(COLUMNS)))  # else it was another day's time


def show(gated: GateResult) -> None:
    """Print the verdicts on the terminal, and what differs besides the figures."""
    render.show(table(gated), "--markdown FILE has everything")
    render.say([conclusion(gated)], "bold")


def as_markdown(gated: GateResult) -> str:
    """Return the verdicts as a Markdown document."""
    return render.document(table(gated), "##", f"**{conclusion(gated)}**")


def as_junit(gated: GateResult) -> str:
    """Return the verdicts as JUnit XML: one suite, one test per case.

    Regressed is a failure, not comparable an error, inconclusive is skipped.
    """
    counts = Counter(JUNIT_TAGS.get(each.verdict) for each in gated.judged)
    totals = {f"{tag}s" if tag != "skipped" else tag: str(counts[tag]) for tag in JUNIT_TAGS.values()}
    suites = ET.Element("testsuites")
    suite = ET.SubElement(
        suites, "testsuite", {"name": "diffusion-bench gate", "tests": str(len(gated.judged)), **totals}
    )
    for each in gated.judged:
        scenario, case = each.pair.key.split("/", 1)
        test = ET.SubElement(suite, "testcase", classname=_printable(scenario), name=_printable(case))
        reason = _printable(verdicts.gate_reasons(each))
        tag = JUNIT_TAGS.get(each.verdict)
        if tag is not None:
            ET.SubElement(test, tag, message=f"{verdicts.spelled(each.verdict)}: {reason}")
        ET.SubElement(test, "system-out").text = reason
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _notes(gated: GateResult) -> list[str]:
    pairs = [each.pair for each in gated.judged]
    images = [pair.key for pair in pairs if pair.other_image]
    other = f"different images from the same seeds, which can be chance with random weights: {listed(images)}"
    return [
        *map(verdicts.environment, gated.environment),
        *([other] if images else []),
        *verdicts.grouped(pairs, lambda pair: pair.effective, "in effect: "),
        *verdicts.other_remarks(pairs, gated.base, gated.new),
        verdicts.SIDE_BY_SIDE if gated.side_by_side else verdicts.STORED,
        *(f"{key}: not judged, because only the new side has it" for key in gated.only_in_new),
        *_took(gated),
    ]


def _duration(side: CaseResult | None) -> Cell:
    """Return the time that all processes of a case took on one side."""
    seconds = side.timings.wall_s if side is not None else None
    return Cell() if seconds is None else Cell(duration(seconds), seconds)


def _took(gated: GateResult) -> list[str]:
    """Return how long the gate took, and its sides; the rest is for the start and for downloads."""
    if gated.duration_s is None:
        return []
    base_s = sum(each.pair.base.timings.wall_s or 0 for each in gated.judged if each.pair.base)
    new_s = sum(each.pair.new.timings.wall_s or 0 for each in gated.judged if each.pair.new)
    parts = f"{duration(base_s)} for {gated.base}, {duration(new_s)} for {gated.new}"
    return [f"The gate took {duration(gated.duration_s)}: {parts}, and the rest to start and to download."]


def _printable(text: str) -> str:
    """Return a text without what XML 1.0 cannot contain (its production 2, Char), and inert wherever it is shown."""
    return printed_lines(_NOT_IN_XML.sub("", text))
