"""What a look at the machine found, in words: first whether a run would work, then what is wrong, then what is here."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from bench import units
from bench.analyze.checkup import Finding, findings, is_ready
from bench.present import forecast, render, words
from bench.present.grid import ALWAYS, Cell, Column, Grid, Tone
from bench.present.problems import WORDS
from bench.records.cards import Card
from bench.records.checkup import CaseOutlook, Checkup, Hub, Place, RunOutlook
from bench.records.environment import Span
from bench.records.outcomes import Status

HUBS = {
    Hub.UNUSED: "not needed",
    Hub.REACHABLE: "reachable",
    Hub.UNREACHABLE: "unreachable",
    Hub.OFFLINE: "not asked, because HF_HUB_OFFLINE is set",
}
REST = "--json has everything"
NO_DOWNLOAD = "Nothing would be downloaded."
HERE = (Column("here", left=True, keep=ALWAYS), Column("found", left=True, wraps=True, keep=ALWAYS))
SCENARIOS = (
    Column("scenario", left=True, wraps=True, keep=ALWAYS),
    Column("cases", keep=2),
    Column("measured", keep=ALWAYS),
    Column("skipped", keep=2),
    Column("failing", keep=2),
    Column("left out", keep=1),
    Column("about", keep=ALWAYS),
)
NOT_MEASURED = (
    Column("not measured", left=True, wraps=True, keep=ALWAYS),
    Column("status", left=True, keep=2),
    Column("why", left=True, wraps=True, keep=ALWAYS),
)


def show(checkup: Checkup) -> None:
    """Print everything that a reader needs, the answer first."""
    render.say([headline(checkup)], "bold" if is_ready(checkup) else "bold red")
    found = findings(checkup)
    _show_problems(checkup, "What prevents it:", [each for each in found if each.prevents], "red")
    render.say(summary(checkup))
    _show_problems(checkup, "Worth knowing:", [each for each in found if not each.prevents], "yellow")
    render.show(here(checkup), REST)
    if checkup.outlook is not None:
        for grid in filter(None, (scenarios(checkup.outlook), not_measured(checkup.outlook))):
            render.show(grid, REST)


def headline(checkup: Checkup) -> str:
    """Return whether a run would work, and how long it would take."""
    if checkup.outlook is None or not is_ready(checkup):
        return "A run would not work here."
    expected = checkup.outlook.time
    if expected is None:
        return f"A run would work on {_device(checkup)}; how long it would take is unknown."
    return f"A run would work and take {forecast.about(expected)} on {_device(checkup)}."


def summary(checkup: Checkup) -> list[str]:
    """Return what a run would do, in a few lines; nothing if that is unknown."""
    outlook = checkup.outlook
    if outlook is None:
        return []
    others = len(outlook.cases) - len(outlook.measured)
    fewer = f", of which {len(outlook.measured)} would be measured" if others else ""
    guessed = f" {forecast.guessed(outlook.unknown)}." if outlook.unknown else ""
    samples = "" if outlook.samples is None else f", {outlook.samples} samples per process"
    processes = words.count(outlook.processes, "process")
    lines = [
        f"{words.count(len(outlook.cases), 'case')}{fewer}, {processes}{samples}.{guessed}",
        f"To be fetched from the hub: {forecast.sizes(outlook.downloads)}." if outlook.downloads else NO_DOWNLOAD,
        words.TINY_WARNINGS[outlook.tiny],
    ]
    return list(filter(None, lines))


def here(checkup: Checkup) -> Grid:
    """Return what is on this machine."""
    facts = checkup.facts
    libraries = words.versions(facts, "diffusers", "transformers", "accelerate", "safetensors", "triton", "xformers")
    found = {
        **{f"card {card.number}": _card(card, checkup) for card in checkup.cards.cards},
        **({} if checkup.cards.cards else {"card": "none that NVML knows"}),
        "driver": _driver(checkup),
        "device": "none could be used" if checkup.device is None else _device(checkup),
        "torch": f"{facts['torch']}, built for {facts['torch_build']}" if "torch" in facts else "",
        "libraries": libraries,
        "Python": facts["python"],
        "processor": _processor(checkup),
        "memory": units.memory(facts.get("memory_bytes")),
        "hub": HUBS[checkup.hub] if checkup.outlook is not None else "",
        "hub's cache": _place(checkup.cache),
        "results": _place(checkup.results),
        "temporary files": _place(checkup.temporary),
        "shared memory": _place(checkup.shared_memory),
    }
    return Grid("", HERE, tuple((Cell(name), Cell(text)) for name, text in found.items() if text))


def scenarios(outlook: RunOutlook) -> Grid:
    """Return what a run would do, one row per scenario."""
    names = list(dict.fromkeys(case.scenario for case in outlook.cases))
    rows = tuple(_row(name, [case for case in outlook.cases if case.scenario == name]) for name in names)
    return Grid("", SCENARIOS, rows).without_empty_columns()


def not_measured(outlook: RunOutlook) -> Grid | None:
    """Return the cases that would not be measured, those of one reason together; None if there are none."""
    reasons: dict[tuple[Status | None, str], list[str]] = {}
    for case in outlook.cases:
        if not case.measured:
            reasons.setdefault((case.status, case.reason or "the budget has no time for it"), []).append(case.key)
    rows = tuple(
        (Cell(units.listed(keys)), Cell(status or "left out", tone=_tone(status)), Cell(why))
        for (status, why), keys in reasons.items()
    )
    return Grid("", NOT_MEASURED, rows) if rows else None


def as_json(checkup: Checkup) -> str:
    """Return everything as JSON, with the problems in words."""
    problems = []
    for finding in findings(checkup):
        what, command = WORDS[finding.problem](checkup)
        problems.append({**asdict(finding), "message": what, "remedy": command})
    data: dict[str, Any] = {"ready": is_ready(checkup), "headline": headline(checkup), "problems": problems}
    return render.json_text({**data, **asdict(checkup)})


def _show_problems(checkup: Checkup, heading: str, found: Sequence[Finding], style: str) -> None:
    """Print problems, each with the command that solves it, under a heading."""
    if found:
        render.say([heading], "bold")
    for finding in found:
        what, command = WORDS[finding.problem](checkup)
        render.say([what], style, indent=2)
        render.say([command], indent=6)


def _device(checkup: Checkup) -> str:
    return f"{checkup.facts['device_name']} ({checkup.device})"


def _card(card: Card, checkup: Checkup) -> str:
    used = f"{units.memory(card.memory_used_bytes)} in use" if card.memory_used_bytes is not None else ""
    others = "" if card.processes is None else words.count(card.processes, "process")
    computing = "" if card.utilization is None else f"{card.utilization:.0%} busy"
    hidden = "" if card in checkup.visible_cards else "hidden by CUDA_VISIBLE_DEVICES"
    return ", ".join(filter(None, [card.name, units.memory(card.memory_bytes), used, computing, others, hidden]))


def _driver(checkup: Checkup) -> str:
    cuda = f"CUDA up to {checkup.cards.cuda}" if checkup.cards.cuda else ""
    return ", ".join(filter(None, [checkup.cards.driver, cuda]))


def _processor(checkup: Checkup) -> str:
    usable = checkup.facts.get("cpu_threads_usable") or checkup.facts.get("cpu_threads")
    return f"{checkup.facts['cpu']}, {usable} threads usable, others keep {checkup.busy_cores:.1f} busy"


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    free = f"{units.memory(place.free_bytes)} free" if place.free_bytes is not None else ""
    new = "" if place.exists else "does not exist yet"
    refused = f"cannot be written ({place.refusal})" if place.refusal else ""
    return ", ".join(filter(None, [place.path, new, free, refused]))


def _row(name: str, cases: Sequence[CaseOutlook]) -> tuple[Cell, ...]:
    skipped = sum(case.status is Status.SKIPPED for case in cases)
    failing = sum(case.status not in {None, Status.SKIPPED} for case in cases)
    measured = [case for case in cases if case.measured]
    return (
        Cell(name),
        _count(len(cases)),
        _count(len(measured), always=True),
        _count(skipped),
        Cell(str(failing) if failing else "", failing, Tone.BAD),
        _count(sum(case.left_out and case.status is None for case in cases)),
        Cell(_time(case.time for case in measured) if measured else ""),
    )


def _count(number: int, *, always: bool = False) -> Cell:
    return Cell(str(number) if number or always else "", number)


def _time(spans: Iterable[Span | None]) -> str:
    known = list(spans)
    if None in known:
        return "unknown"
    return units.duration(sum((span for span in known if span is not None), Span()).likely_s)


def _tone(status: Status | None) -> Tone:
    return Tone.NONE if status in {None, Status.SKIPPED} else Tone.BAD
