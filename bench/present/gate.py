"""The gate's verdicts on the terminal, as Markdown (the summary of a CI job) and as JUnit XML."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from bench.analyze.comparison import EnvironmentDifference
from bench.analyze.gate import GateVerdict, Judged, overall
from bench.present import render, verdicts, words
from bench.present.grid import ALWAYS, Cell, Column, Grid
from bench.units import listed

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


@dataclass(frozen=True)
class Gated:
    """A gate's outcome.

    Attributes:
        title: what was compared with what.
        judged: every case of the base, with its verdict.
        environment: the facts in which the machines of the sides differ.
        remarks: what a reader must know about this way of gating.
    """

    title: str
    judged: Sequence[Judged]
    environment: Sequence[EnvironmentDifference]
    remarks: Sequence[str]

    @property
    def verdict(self) -> GateVerdict:
        """The verdict of all cases together."""
        return overall(self.judged)


def conclusion(gated: Gated) -> str:
    """Return the verdict in one line, with how many cases had which."""
    counts = Counter(each.verdict for each in gated.judged)
    found = ", ".join(f"{counts[verdict]} {text}" for verdict, text in verdicts.GATED.items() if counts[verdict])
    return f"gate: {verdicts.GATED[gated.verdict]} ({found or 'no case was judged'})"


def table(gated: Gated) -> Grid:
    """Return one row per judged case."""
    rows = tuple(
        (
            Cell(each.pair.key),
            Cell(verdicts.GATED[each.verdict], tone=verdicts.GATE_TONES[each.verdict]),
            Cell(verdicts.gate_reasons(each)),
        )
        for each in gated.judged
    )
    tiny = words.caution(each.pair.new for each in gated.judged if each.pair.new is not None)
    return Grid(gated.title, COLUMNS, rows, tiny, tuple(_notes(gated)))


def show(gated: Gated) -> None:
    """Print the verdicts on the terminal, and what differs besides the figures."""
    render.show(table(gated), "--markdown FILE has all")
    render.say([conclusion(gated)], "bold")


def as_markdown(gated: Gated) -> str:
    """Return the verdicts as a Markdown document."""
    return render.document(table(gated), "##", f"**{conclusion(gated)}**")


def as_junit(gated: Gated) -> str:
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
            ET.SubElement(test, tag, message=f"{verdicts.GATED[each.verdict]}: {reason}")
        ET.SubElement(test, "system-out").text = reason
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _notes(gated: Gated) -> list[str]:
    """Say what differs between the machines and in what was in effect, and what this gate is worth."""
    pairs = [each.pair for each in gated.judged]
    images = [pair.key for pair in pairs if pair.other_image]
    return [
        *map(verdicts.environment, gated.environment),
        *(
            [f"other images from the same seeds: {listed(images)}; with random weights this may be chance"]
            * bool(images)
        ),
        *verdicts.grouped(pairs, lambda pair: pair.effective, "in effect: "),
        *gated.remarks,
    ]


def _printable(text: str) -> str:
    """Leave out what XML 1.0 cannot contain (its production 2, Char)."""
    return _NOT_IN_XML.sub("", text)
