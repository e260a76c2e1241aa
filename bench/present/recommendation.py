"""A recommendation in words and a short table: what to use, why not the next best, and what was not measured."""

from collections.abc import Iterator

from bench import units
from bench.analyze.candidates import Candidate, Task
from bench.analyze.constraints import Goal
from bench.analyze.recommend import ONE_PROCESS, Recommendation, Unmeasured
from bench.present import render, verdicts, words
from bench.present.grid import ALWAYS, Cell, Column, Grid

MOST_NEIGHBORS = 3
"""Of a kind; results.csv has all cases."""
_SUPERLATIVES = {
    Goal.LATENCY: "lowest latency",
    Goal.THROUGHPUT: "highest throughput",
    Goal.MEMORY: "lowest peak memory",
    Goal.ENERGY: "lowest energy per image",
}
_COSTS = {
    Goal.LATENCY: "time per call",
    Goal.THROUGHPUT: "time per image",
    Goal.MEMORY: "memory",
    Goal.ENERGY: "energy",
}


def show(found: Recommendation, goal: Goal) -> None:
    """Print a recommendation on the terminal."""
    render.say([name(found.task)], "bold")
    render.say(lines(found, goal), indent=2)
    grid = neighbors(found, goal)
    if grid.rows:
        render.say([""])
        render.show(grid, "results.csv has everything")
    render.say([""])


def name(task: Task) -> str:
    """Return what a task is."""
    asked = task.settings
    images = asked.images or 1
    parts = [
        asked.model,
        asked.scheduler,
        words.count(asked.steps, "step") if asked.steps else "",
        f"{asked.width}x{asked.height}" if asked.width and asked.height else "",
        f"{images} images per call" if images > 1 else "1 image",
    ]
    return ", ".join(filter(None, parts))


def lines(found: Recommendation, goal: Goal) -> Iterator[str]:
    """Say what to use and why; first of all if the figures are of tiny models."""
    warning = words.caution(candidate.result for candidate in found.task.candidates)
    if warning:
        yield warning
    best, reference = found.best, found.task.reference
    if best is None:
        yield _nothing(found, goal)
        return
    yield f"Use {best.case.key}: {_figures(best, goal)}."
    allowed = 1 + len(found.ties) + len(found.others)
    if found.ties:
        yield _ties(found)
    elif allowed > 1:
        yield f"It has the {_SUPERLATIVES[goal]} of the {allowed} cases that can be recommended."
    else:
        yield "It is the only case that can be recommended."
    if allowed > 1 and goal != Goal.MEMORY:
        yield _distinguished(best, goal)
    if best.result.comparison.break_even_images:
        yield _repaid(best)
    if reference is not None and reference.key != best.case.key:
        random = f" {words.RANDOM_WEIGHTS}" if best.result.settings.weights == "random" else ""
        yield f"Pictures are compared with those of {reference.key}.{random}"
    if best.design:
        design = ", ".join(best.design)
        yield f"It makes a different image by design ({design}), which cannot be judged automatically: look at it."
    if best.result.remarks:
        yield f"Note: {'; '.join(map(words.remark, best.result.remarks))}."


def neighbors(found: Recommendation, goal: Goal) -> Grid:
    """Return the next best cases, and the best of those that may not be recommended, each with the reason."""
    several = len({candidate.case.scenario for candidate in found.task.candidates}) > 1
    reasons = [
        (each, "cannot be distinguished by this run, and is not simpler") for each in found.ties[:MOST_NEIGHBORS]
    ]
    reasons += [(each, _worse(each, found, goal)) for each in found.others[:MOST_NEIGHBORS]]
    reasons += [(each, verdicts.excluded(each)) for each in found.excluded[:MOST_NEIGHBORS]]
    columns = (
        Column("case", left=True, wraps=True, keep=ALWAYS),
        Column(goal.value, keep=ALWAYS),
        Column("peak", keep=2),
        Column("PSNR", keep=1),
        Column("why not", left=True, wraps=True, keep=ALWAYS),
    )
    rows = tuple((*_cells(each, goal, several=several), Cell(reason)) for each, reason in reasons)
    return Grid("", columns, rows).without_empty_columns()


def gaps(model: str, what: Unmeasured) -> list[str]:
    """List what a run did not measure, for one model."""
    parts = [
        ("optimizations", ", ".join(what.optimizations)),
        ("dtypes", ", ".join(what.dtypes)),
        ("planned but not run", ", ".join(what.not_run)),
    ]
    found = [f"  {name}: {text}" for name, text in parts if text]
    found += [f"  {result.key}: {words.outcome(result)}" for result in what.without_figures]
    return [f"Not measured for {model}, so nothing is said about it:", *found] if found else []


def _nothing(found: Recommendation, goal: Goal) -> str:
    if not any(candidate.result.status.measured for candidate in found.task.candidates):
        return "None of its cases could be measured."
    if not found.excluded:
        return f"No {goal} was measured in this run."
    if all(candidate.design for candidate in found.excluded):
        return "Every measured case makes a different image by design; --allow-other-images includes them."
    return "No measured case meets the constraints."


def _figures(candidate: Candidate, goal: Goal) -> str:
    result = candidate.result
    speedup = "" if result.is_baseline else units.ratio(result.comparison.speedup)
    latency = f"{units.seconds(result.statistics.latency_median_s)} per call"
    psnr = _psnr(candidate)
    parts = [
        "" if goal in {Goal.LATENCY, Goal.MEMORY} else f"{_cost(candidate, goal)}{_span(candidate, goal)}",
        f"{latency}{_span(candidate, goal)}" if goal == Goal.LATENCY else latency,
        f"{speedup} as fast as {result.comparison.baseline}" if speedup else "",
        words.peak(candidate.memory_bytes, candidate.memory_kind),
        words.decibels(candidate.psnr_db) if psnr else "",
    ]
    return ", ".join(filter(None, parts))


def _repaid(best: Candidate) -> str:
    """Say what compiling costs, without which its speed-up is half of the story."""
    compared, first_s = best.result.comparison, best.result.timings.first_call_s
    images = words.count(max(1, round(compared.break_even_images or 0)), "image")
    return (
        f"It is compiled: its first call takes {units.seconds(first_s)}, and has paid for itself against "
        f"{compared.baseline} after {images}."
    )


def _ties(found: Recommendation) -> str:
    keys = [candidate.case.key for candidate in found.ties]
    more = f" and {len(keys) - MOST_NEIGHBORS} more" if len(keys) > MOST_NEIGHBORS else ""
    return (
        f"This run cannot distinguish it from {', '.join(keys[:MOST_NEIGHBORS])}{more}. It changes the least of them, "
        "or is the best of those that change as little."
    )


def _distinguished(best: Candidate, goal: Goal) -> str:
    if best.interval is not None:
        passes = 2 * best.result.statistics.processes
        return (
            f"Cases are distinguished by their ratios in each pass (95 %); bench run --processes {passes} can do more."
        )
    further = "" if goal == Goal.ENERGY else "; bench run --processes 4 gives intervals between processes"
    return f"Without an interval between processes, cases within {ONE_PROCESS:.0%} cannot be distinguished{further}."


def _worse(candidate: Candidate, found: Recommendation, goal: Goal) -> str:
    least = found.best.cost if found.best is not None else None
    return f"{candidate.cost / least - 1:.0%} more {_COSTS[goal]}" if candidate.cost and least else ""


def _cells(candidate: Candidate, goal: Goal, *, several: bool) -> tuple[Cell, ...]:
    """Return a row without its reason; a case is named with its scenario if the task has cases of several."""
    return (
        Cell(candidate.case.key if several else candidate.case.name, tag=words.label(candidate.result)),
        Cell(_cost(candidate, goal), candidate.cost),
        Cell(units.memory(candidate.memory_bytes), candidate.memory_bytes),
        Cell(_psnr(candidate), candidate.psnr_db),
    )


def _cost(candidate: Candidate, goal: Goal) -> str:
    cost = candidate.cost
    if cost is None:
        return ""
    if goal == Goal.MEMORY:
        return units.memory(cost)
    if goal == Goal.ENERGY:
        return f"{units.significant(cost)} J/image"
    return units.seconds(cost) if goal == Goal.LATENCY else f"{units.significant(1 / cost)} images/s"


def _span(candidate: Candidate, goal: Goal) -> str:
    """Return the interval between processes of what is compared; empty if the run has none."""
    between = candidate.interval
    if between is None:
        return ""
    low, high = units.significant(1 / between.high), units.significant(1 / between.low)
    span = units.span(between.low, between.high) if goal == Goal.LATENCY else f"{low} to {high}"
    return f" (95 %, between processes: {span})"


def _psnr(candidate: Candidate) -> str:
    if candidate.psnr_db is None or candidate.design:
        return ""
    return units.decibels(candidate.psnr_db)
