"""A recommendation in words and a short table: what to use, why not its neighbors, what nobody measured."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bench import units
from bench.analyze.candidates import Candidate
from bench.analyze.constraints import Goal
from bench.analyze.recommend import ONE_PROCESS, Recommendation, Unmeasured
from bench.analyze.rows import MEMORY_KINDS
from bench.present.tables import TINY
from bench.records.schema import MEASURED

MOST_NEIGHBOURS = 3
"""Of a kind; all rows are in results.csv."""
_WHY = 24
"""Characters that a reason has at the least, on a narrow terminal, too."""
_SUPERLATIVES = {
    Goal.LATENCY: "lowest latency",
    Goal.THROUGHPUT: "highest throughput",
    Goal.MEMORY: "lowest peak memory",
    Goal.ENERGY: "lowest energy an image",
}
_COSTS = {Goal.LATENCY: "time a call", Goal.THROUGHPUT: "time an image", Goal.MEMORY: "memory", Goal.ENERGY: "energy"}


def show(found: Recommendation, goal: Goal) -> None:
    """Print a recommendation on the terminal."""
    console = Console()
    console.print(f"[bold]{escape(found.task.name)}[/bold]", highlight=False)
    for line in words(found, goal):
        console.print(Padding(escape(line), (0, 0, 0, 2), expand=False), highlight=False)
    rows = list(neighbors(found, goal))
    if rows:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("", "case", goal.value, "peak", "PSNR", "why not"):
            folds = name in {"case", "why not"}
            table.add_column(name, no_wrap=not folds, overflow="fold", min_width=_WHY if name == "why not" else None)
        for row in rows:
            table.add_row("", *map(escape, row))
        console.print("", table, highlight=False)
    console.print()


def words(found: Recommendation, goal: Goal) -> Iterator[str]:
    """Say what to use and why; first of all where the figures are of toys."""
    if any(candidate.row["size"] == "tiny" for candidate in found.task.candidates):
        yield TINY
    best, reference = found.best, found.task.reference
    if best is None:
        yield _nothing(found, goal)
        return
    yield f"Use {best.case.key}: {_figures(best, goal)}."
    allowed = 1 + len(found.ties) + len(found.others)
    if found.ties:
        yield _undecided(found)
    elif allowed > 1:
        yield f"It has the {_SUPERLATIVES[goal]} of the {allowed} cases that can be recommended."
    else:
        yield "It is the only case that can be recommended."
    if allowed > 1:
        yield from _told_by(best, goal)
    if reference is not None and reference.key != best.case.key:
        yield f"Pictures are held against those of {reference.key}{_numeric(best)}."
    if best.design:
        yield f"It makes another image by design ({', '.join(best.design)}): look at it, nothing vouches for it."
    if best.row["remarks"]:
        yield f"To know: {best.row['remarks']}."


def neighbors(found: Recommendation, goal: Goal) -> Iterator[list[str]]:
    """Return rows of text: the next best, and the best of those that may not be recommended, each with its reason."""
    best, several = found.best, len({candidate.case.scenario for candidate in found.task.candidates}) > 1
    for candidate in found.ties[:MOST_NEIGHBOURS]:
        yield [*_cells(candidate, goal, several=several), "not told apart by this run, and no simpler"]
    for candidate in found.others[:MOST_NEIGHBOURS]:
        more = (candidate.cost or 0.0) / best.cost - 1 if best is not None and best.cost else 0.0
        yield [*_cells(candidate, goal, several=several), f"{more:.0%} more {_COSTS[goal]}"]
    for candidate in found.excluded[:MOST_NEIGHBOURS]:
        yield [*_cells(candidate, goal, several=several), candidate.exclusion_reason or _too_big(candidate)]


def gaps(model: str, what: Unmeasured) -> list[str]:
    """Say what a run says nothing of, about a model."""
    parts = [
        ("optimizations", ", ".join(what.optimizations)),
        ("dtypes", ", ".join(what.dtypes)),
        ("of the plan", ", ".join(what.not_run)),
    ]
    lines = [f"  {name}: {told}" for name, told in parts if told]
    lines += [f"  {told}" for told in what.without_figures]
    return [f"Not measured of {model}, so nothing is said of it:", *lines] if lines else []


def _nothing(found: Recommendation, goal: Goal) -> str:
    """Say why nothing is recommended."""
    candidates = found.task.candidates
    if not any(candidate.row["status"] in list(MEASURED) for candidate in candidates):
        return "No case of it was measured."
    if not found.excluded:
        return f"No {goal} was measured in this run."
    if all(candidate.design for candidate in found.excluded):
        return "Every measured case makes another image by design; --allow-other-images admits them."
    return "No measured case meets the constraints."


def _figures(candidate: Candidate, goal: Goal) -> str:
    speedup = units.ratio(candidate.row["speedup"]) if candidate.row["baseline"] != candidate.row["case"] else ""
    latency = f"{units.seconds(candidate.row['latency_median_s'])} a call"
    parts = [
        "" if goal in {Goal.LATENCY, Goal.MEMORY} else f"{_cost(candidate, goal)}{_span(candidate, goal)}",
        f"{latency}{_span(candidate, goal)}" if goal == Goal.LATENCY else latency,
        f"{speedup} as fast as {candidate.row['baseline']}" if speedup else "",
        _memory(candidate),
        f"PSNR {_psnr(candidate)}" if _psnr(candidate) else "",
    ]
    return ", ".join(filter(None, parts))


def _undecided(found: Recommendation) -> str:
    """Say what is not told apart from the best."""
    keys = [candidate.case.key for candidate in found.ties]
    more = f" and {len(keys) - MOST_NEIGHBOURS} more" if len(keys) > MOST_NEIGHBOURS else ""
    told = f"This run does not tell it apart from {', '.join(keys[:MOST_NEIGHBOURS])}{more};"
    return f"{told} it changes the least of them, or as little and is the best of those."


def _told_by(best: Candidate, goal: Goal) -> Iterator[str]:
    """Say by what cases were told apart, and how more can be."""
    if goal == Goal.MEMORY:
        return
    if best.interval is not None:
        rounds = 2 * int(best.row["processes"])
        yield f"Cases are told apart by the ratios of their rounds (95 %); bench run --processes {rounds} tells more."
        return
    further = "" if goal == Goal.ENERGY else "; bench run --processes 4 gives intervals between processes"
    yield f"Without an interval between processes, cases within {ONE_PROCESS:.0%} are not told apart{further}."


def _numeric(candidate: Candidate) -> str:
    return "; with random weights that is numeric agreement, no more" if candidate.row["weights"] == "random" else ""


def _cells(candidate: Candidate, goal: Goal, *, several: bool) -> list[str]:
    """Return a line but for its reason; a case is named with its scenario where the task has cases of several."""
    name = candidate.case.key if several else candidate.case.name
    return [name, _cost(candidate, goal), units.memory(candidate.memory_bytes), _psnr(candidate)]


def _cost(candidate: Candidate, goal: Goal) -> str:
    """Return what is compared, with its unit."""
    cost = candidate.cost
    if cost is None:
        return ""
    if goal == Goal.MEMORY:
        return units.memory(cost)
    if goal == Goal.ENERGY:
        return f"{units.significant(cost)} J/image"
    return units.seconds(cost) if goal == Goal.LATENCY else f"{units.significant(1 / cost)} images/s"


def _span(candidate: Candidate, goal: Goal) -> str:
    """Return the interval between processes of what is compared; empty where the run has none."""
    between = candidate.interval
    if between is None:
        return ""
    if goal == Goal.LATENCY:
        return f" (95 %, between processes: {units.span(between.low, between.high)})"
    low, high = units.significant(1 / between.high), units.significant(1 / between.low)
    return f" (95 %, between processes: {low} to {high})"


def _memory(candidate: Candidate) -> str:
    if candidate.memory_bytes is None:
        return ""
    return f"{units.memory(candidate.memory_bytes)} {MEMORY_KINDS[candidate.memory_kind]}"


def _psnr(candidate: Candidate) -> str:
    if candidate.psnr_db is None or candidate.design:
        return ""
    return units.decibels(candidate.psnr_db)


def _too_big(candidate: Candidate) -> str:
    return f"too much memory: {_memory(candidate)}, {units.memory(candidate.too_big)} over what is allowed"
