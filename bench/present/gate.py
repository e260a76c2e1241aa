"""The gate's verdicts on the terminal, as Markdown (a job's summary in CI) and as JUnit XML."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.analyze.gate import Judged, Verdict, overall
from bench.present import markdown

TINY = "Tiny twins: the same code at toy width. A slow-down here is one of the host's work, not of a model on a GPU."
HEADER = ("case", "verdict", "reason")
COLORS = {Verdict.PASSED: "green", Verdict.REGRESSED: "red", Verdict.INCONCLUSIVE: "yellow"}
JUNIT_TAGS = {Verdict.REGRESSED: "failure", Verdict.NOT_COMPARABLE: "error", Verdict.INCONCLUSIVE: "skipped"}
"""A test that was skipped is not one that passed; the exit code of the gate is 3 all the same."""
_NOT_IN_XML = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True)
class Gated:
    """A gate's outcome.

    Attributes:
        title: what was held against what.
        judged: every case of the base, with its verdict.
        environment: the facts in which the sides differ: name -> (base, new).
        remarks: what a reader must know of this way of gating.
    """

    title: str
    judged: Sequence[Judged]
    environment: Mapping[str, Sequence[str]]
    remarks: Sequence[str]

    @property
    def verdict(self) -> Verdict:
        """The verdict of all cases together."""
        return overall(self.judged)


def conclusion(gated: Gated) -> str:
    """Say the verdict in one line, with how many cases came to which."""
    counts = Counter(each.verdict for each in gated.judged)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"gate: {gated.verdict} ({told or 'no case was judged'})"


def show(gated: Gated) -> None:
    """Print the verdicts on the terminal, and what differs besides the figures."""
    console = Console()
    table = Table(title=escape(gated.title), title_justify="left")
    for name in HEADER:
        table.add_column(name, overflow="fold", no_wrap=name == "verdict")
    for each in gated.judged:
        table.add_row(escape(each.pair.key), f"[{_color(each)}]{each.verdict}[/]", escape("; ".join(each.reasons)))
    console.print(table)
    for line in _lines(gated):
        console.print(line, markup=False, highlight=False)
    console.print(conclusion(gated), markup=False, highlight=False, style="bold")


def as_markdown(gated: Gated) -> str:
    """Return the verdicts as a Markdown document."""
    rows = [(each.pair.key, str(each.verdict), "; ".join(each.reasons)) for each in gated.judged]
    lines = [f"- {markdown.cell(line)}" for line in _lines(gated)]
    parts = [f"## {markdown.cell(gated.title)}", f"**{conclusion(gated)}**", markdown.table(HEADER, rows, HEADER)]
    return "\n\n".join([*parts, "\n".join(lines)]).rstrip() + "\n"


def as_junit(gated: Gated) -> str:
    """Return the verdicts as JUnit XML: a suite a gate, a test a case.

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
        reason = _printable("; ".join(each.reasons))
        tag = JUNIT_TAGS.get(each.verdict)
        if tag is not None:
            ET.SubElement(test, tag, message=f"{each.verdict}: {reason}")
        ET.SubElement(test, "system-out").text = reason
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _lines(gated: Gated) -> list[str]:
    """Say what differs between the machines and in what was in effect, and what this gate is worth."""
    differences = [f"{name}: {' -> '.join(texts)}" for name, texts in gated.environment.items()]
    found: dict[str, list[str]] = {}
    for each in gated.judged:
        for difference in each.pair.effective:
            found.setdefault(difference, []).append(each.pair.key)
    images = [each.pair.key for each in gated.judged if each.pair.other_image]
    if images:
        differences.append(
            f"other images from the same seeds: {', '.join(images)}; with random weights that may be chance"
        )
    effective = [f"in effect: {difference} ({markdown.listed(keys)})" for difference, keys in found.items()]
    return [*differences, *effective, *gated.remarks]


def _color(each: Judged) -> str:
    return COLORS.get(each.verdict, "magenta")


def _printable(text: str) -> str:
    """Leave out what XML 1.0 has no way to write (its production 2, Char)."""
    return _NOT_IN_XML.sub("", text)
