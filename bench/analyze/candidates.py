"""Which measured cases can be recommended at all, and why the others cannot.

Cases are weighed against each other where they do one task: those whose baselines make the same image. Each is held
against one picture, the task's reference. Nobody can vouch for the image of a case that makes another one by design (a
scheduler, fewer steps, another model), so such cases are named and left out unless they are asked for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor

import pandas as pd

from bench.analyze.constraints import Constraints, Goal
from bench.analyze.results import BETWEEN
from bench.analyze.rows import Row, highest_peak, plain_rows, process_medians
from bench.analyze.run import Run
from bench.analyze.similarity import BY_DESIGN, NOT_OF_THE_IMAGE, by_design, shared_similarity, similarity
from bench.plan.case import Case
from bench.records.schema import MEASURED, Status
from bench.statistics import Interval

BATCH = "num_images_per_prompt"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A case of a task, weighed.

    Attributes:
        case: of the plan.
        row: of the results, None for an unknown value.
        cost: less is better: seconds a call or an image, bytes, or joules an image, by the goal; None where unknown.
        interval: of the cost between processes; None where there is none.
        rounds: the cost in each round of interleaved processes, by its number; of seconds only.
        memory_bytes: the highest peak of loading, the first call and a generation.
        memory_kind: what that peak is of; a key of `rows.MEMORY_KINDS`.
        psnr_db: against the reference's pictures; None where they cannot be compared.
        design: settings that make another image than the plan's baseline, measured or not.
        exclusion_reason: why it cannot be recommended, its memory aside; empty where it can.
        too_big: by how many bytes it is over the most that is allowed.
    """

    case: Case
    row: Row
    cost: float | None
    interval: Interval | None
    rounds: Mapping[int, float]
    memory_bytes: float | None
    memory_kind: str
    psnr_db: float | None
    design: tuple[str, ...]
    exclusion_reason: str
    too_big: float = 0.0


@dataclass(frozen=True)
class Task:
    """Cases that are alternatives to each other. `reference` is whose picture they are held against, if any is."""

    name: str
    reference: Case | None
    candidates: tuple[Candidate, ...]


def tasks(run: Run, table: pd.DataFrame, constraints: Constraints) -> list[Task]:
    """Return the tasks of a run, in the plan's order.

    Args:
        run: whose plan and pictures are read.
        table: its results (`summary.results`).
        constraints: what is asked of a case.
    """
    rows = {f"{row['scenario']}/{row['case']}": row for row in plain_rows(table)}
    cases = {case.key: case for case in run.plan.cases}
    grouped: dict[str, list[Case]] = {}
    for case in run.plan.cases:
        if case.key in rows:
            grouped.setdefault(_image(cases.get(case.baseline or "", case)), []).append(case)
    return [_task(run, members, cases, rows, constraints) for members in grouped.values()]


def _image(case: Case) -> str:
    """Return what decides which image a case makes, as text: equal for cases that are to make the same one."""
    call = {name: value for name, value in case.call.items() if name not in NOT_OF_THE_IMAGE}
    return json.dumps([*(getattr(case, name) for name in BY_DESIGN), call], sort_keys=True, default=list)


def _task(
    run: Run, members: Sequence[Case], cases: Mapping[str, Case], rows: Mapping[str, Row], constraints: Constraints
) -> Task:
    image = cases.get(members[0].baseline or "", members[0])
    reference = _reference(members, image, rows)
    shown = rows[(reference or members[0]).key]
    candidates = tuple(_weigh(run, case, rows, image, reference, constraints) for case in members)
    return Task(_name(shown), reference, candidates)


def _reference(members: Sequence[Case], image: Case, rows: Mapping[str, Row]) -> Case | None:
    """Return the first measured baseline; where none was, a case that is to make the same image, float32 before others.

    Args:
        members: cases of one task.
        image: the baseline of the plan, measured or not, whose image the task is about.
        rows: of the results.
    """

    def rank(case: Case) -> tuple[bool, int, bool]:
        return case.baseline not in {case.key, None}, len(by_design(case, image)), case.dtype != "float32"

    return min((case for case in members if rows[case.key]["status"] in MEASURED), key=rank, default=None)


def _name(row: Row) -> str:
    images = row["images"] or 1
    sides = f"{row['width']}x{row['height']}" if row["width"] and row["height"] else ""
    steps = f"{row['steps']} step{'s' if row['steps'] > 1 else ''}" if row["steps"] else ""
    parts = [row["model"], row["scheduler"], steps, sides, f"{images} images a call" if images > 1 else "1 image"]
    return ", ".join(filter(None, parts))


def _weigh(
    run: Run, case: Case, rows: Mapping[str, Row], image: Case, reference: Case | None, constraints: Constraints
) -> Candidate:
    row = rows[case.key]
    design = tuple(by_design(case, image))
    memory, kind = highest_peak(row)
    cost, interval, rounds = _cost(row, memory, constraints.goal)
    psnr = _psnr(run, case, row, reference)
    if constraints.goal == Goal.THROUGHPUT and BATCH in design and reference is not None:
        design, psnr = _batch(run, case, reference, design, constraints)
    base = rows[reference.key] if reference is not None else None
    reasons = (
        "" if row["status"] == Status.OK else f"{row['status']}: {row['reason']}",
        _other_work(row, base, constraints.goal),
        "" if constraints.other_images or not design else f"another image by design ({', '.join(design)})",
        _unlike(psnr, constraints) if reference is not None and case.key != reference.key and not design else "",
        "its peak memory is not known" if memory is None and constraints.max_memory_bytes is not None else "",
        f"no {constraints.goal} was measured" if cost is None else "",
    )
    too_big = (
        max(0.0, (memory or 0.0) - constraints.max_memory_bytes) if constraints.max_memory_bytes is not None else 0.0
    )
    exclusion_reason = next(filter(None, reasons), "")
    return Candidate(case, row, cost, interval, rounds, memory, kind, psnr, design, exclusion_reason, too_big)


def _cost(row: Row, memory: float | None, goal: Goal) -> tuple[float | None, Interval | None, Mapping[int, float]]:
    """Return what is to be little, with its interval between processes and its rounds where the run has them."""
    if goal == Goal.MEMORY:
        return memory, None, {}
    if goal == Goal.ENERGY:
        return row["energy_per_image_j"], None, {}
    images = 1 if goal == Goal.LATENCY else row["images"] or 1
    if row["latency_median_s"] is None:
        return None, None, {}
    interval = None
    if row["interval"] == BETWEEN:
        interval = Interval(row["latency_low_s"] / images, row["latency_high_s"] / images)
    rounds = {number: seconds / images for number, seconds in process_medians(row).items()}
    return row["latency_median_s"] / images, interval, rounds


def _other_work(row: Row, base: Row | None, goal: Goal) -> str:
    """Say where a case does other work than the reference, so that no figure of the two can be compared."""
    if base is None:
        return ""
    same = ["size", "output_type", "width", "height"] + (["images"] if goal in {Goal.LATENCY, Goal.MEMORY} else [])
    other = [f"{name} {row[name]}, not {base[name]}" for name in same if row[name] != base[name]]
    return f"other work ({', '.join(other)})" if other else ""


def _psnr(run: Run, case: Case, row: Row, reference: Case | None) -> float | None:
    """Return the similarity to the reference's pictures in dB; the row has it where that is the case's own baseline."""
    if reference is None or case.key == reference.key:
        return None
    columns = row if case.baseline == reference.key else similarity(run.folder, case, row, reference)
    found: float | None = columns.get("psnr_db")
    return found


def _batch(
    run: Run, case: Case, reference: Case, design: tuple[str, ...], constraints: Constraints
) -> tuple[tuple[str, ...], float | None]:
    """Return what makes another image, and the similarity of the pictures that both make: of a batch, nothing need.

    With a seed an image the first one of a batch is that of a single call; with one seed for all it is another.
    """
    psnr = shared_similarity(run.folder, case, reference)
    same = set(design) <= {BATCH, "seed"} and psnr is not None and psnr >= constraints.min_psnr_db
    return () if same else design, psnr


def _unlike(psnr: float | None, constraints: Constraints) -> str:
    if psnr is None:
        return "its pictures cannot be compared with the reference's"
    if psnr >= constraints.min_psnr_db:
        return ""
    return (
        f"the image differs: {floor(psnr * 10) / 10:.1f} dB < {constraints.min_psnr_db:g} dB"  # 29.96 is not 30.0 < 30
    )
