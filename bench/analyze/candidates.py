"""Which measured cases can be recommended, and why the others cannot.

Cases are alternatives to each other if they do one task: if their baselines make the same image. Each is compared with
one picture, the task's reference. Nobody can vouch for the image of a case that makes another one by design (a
scheduler, fewer steps, another model), so such cases are named and left out unless they are asked for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bench.analyze.comparison import Difference, differences
from bench.analyze.constraints import Constraints, Goal
from bench.analyze.memory import highest_peak
from bench.analyze.run import Run
from bench.analyze.similarity import BY_DESIGN, NOT_OF_THE_IMAGE, alarms, by_design, designed, similarity_between
from bench.plan.case import Case
from bench.records.case_result import CaseResult, Similarity
from bench.records.models import Settings
from bench.records.outcomes import IntervalKind, Remark, Status
from bench.statistics import Interval

BATCH = "num_images_per_prompt"


class ExclusionKind(StrEnum):
    """Why a case cannot be recommended."""

    STATUS = "status"  # it is not ok; its result says why
    OTHER_WORK = "other-work"  # than the reference: `differences`
    ANOTHER_IMAGE = "another-image"  # by design: the candidate's `design`
    NO_PICTURES = "no-pictures"  # that could be compared with the reference's
    IMAGE_DIFFERS = "image-differs"  # the candidate's `psnr_db` is below `limit`
    PART_DIFFERS = "part-differs"  # a window of the picture, or its color: `remark`
    MEMORY_UNKNOWN = "memory-unknown"  # although its most is limited
    NO_FIGURE = "no-figure"  # of what the best is to be best at
    TOO_MUCH_MEMORY = "too-much-memory"  # the candidate's `memory_bytes` is above `limit`


@dataclass(frozen=True)
class ExclusionReason:
    """Why a case cannot be recommended. The other fields are explained beside each `ExclusionKind`."""

    kind: ExclusionKind
    differences: tuple[Difference, ...] = ()
    limit: float | None = None
    remark: Remark | None = None


@dataclass(frozen=True, eq=False)
class Candidate:
    """A case of a task, weighed."""

    case: Case
    result: CaseResult
    cost: float | None = None  # to be small, by the goal: seconds per call or per image, bytes, or joules per image
    interval: Interval | None = None  # of the cost, between processes
    passes: Mapping[int, float] = field(default_factory=dict)  # the cost in seconds in each pass
    memory_bytes: float | None = None  # the highest peak of loading, the first call and a generation
    memory_kind: str = ""  # which peak that is; a key of memory.MEMORY_KINDS
    similarity: Similarity = field(
        default_factory=Similarity
    )  # to the reference's pictures; unknown if they cannot be compared
    design: tuple[str, ...] = ()  # settings that make another image than the plan's baseline, measured or not
    exclusion_reason: ExclusionReason | None = None  # why it cannot be recommended
    excess_bytes: float = 0.0  # how much more memory it takes than is allowed

    @property
    def psnr_db(self) -> float | None:
        """The similarity to the reference's pictures in dB; None if they cannot be compared."""
        return self.similarity.psnr_db


@dataclass(frozen=True)
class Task:
    """Cases that are alternatives to each other."""

    settings: Settings  # of the reference, or of the first case without one: what the task is
    reference: Case | None  # the case whose pictures the others' are compared with; None if none was measured
    candidates: tuple[Candidate, ...]  # in the plan's order


def tasks(run: Run, results: Sequence[CaseResult], constraints: Constraints) -> list[Task]:
    """Return the tasks of a run, in the plan's order.

    Args:
        run: whose plan and pictures are read.
        results: of its cases.
        constraints: what is asked of a case.
    """
    by_key = {result.key: result for result in results}
    grouped: dict[str, list[Case]] = {}
    for case in run.plan.cases:
        if case.key in by_key:
            grouped.setdefault(_image(run.cases.get(case.baseline or "", case)), []).append(case)
    return [_task(run, members, by_key, constraints) for members in grouped.values()]


def _image(case: Case) -> str:
    """Return what decides which image a case makes, as text: equal for cases that should make the same one."""
    call = {name: value for name, value in case.call.items() if name not in NOT_OF_THE_IMAGE}
    return json.dumps([*(designed(case, name) for name in BY_DESIGN), call], sort_keys=True, default=list)


def _task(run: Run, members: Sequence[Case], results: Mapping[str, CaseResult], constraints: Constraints) -> Task:
    image = run.cases.get(members[0].baseline or "", members[0])
    reference = _reference(members, image, results)
    candidates = tuple(_weigh(run, case, results, image, reference, constraints) for case in members)
    return Task(results[(reference or members[0]).key].settings, reference, candidates)


def _reference(members: Sequence[Case], image: Case, results: Mapping[str, CaseResult]) -> Case | None:
    """Return the first measured baseline; without one, a case that should make the same image, preferably in float32.

    Args:
        members: cases of one task.
        image: the baseline of the plan, measured or not, whose image the task is about.
        results: by key.
    """

    def rank(case: Case) -> tuple[bool, int, bool]:
        return case.baseline not in {case.key, None}, len(by_design(case, image)), case.dtype != "float32"

    return min((case for case in members if results[case.key].status.measured), key=rank, default=None)


def _weigh(
    run: Run, case: Case, results: Mapping[str, CaseResult], image: Case, reference: Case | None,
    constraints: Constraints,
) -> Candidate:  # fmt: skip
    result = results[case.key]
    design, similarity = tuple(by_design(case, image)), _similarity(run, case, result, reference)
    if constraints.goal == Goal.THROUGHPUT and BATCH in design and reference is not None:
        design, similarity = _batch(run, case, reference, design, constraints)
    memory, kind = highest_peak(result)
    cost, interval, passes = _cost(result, memory, constraints.goal)
    most = constraints.max_memory_bytes
    candidate = Candidate(
        case, result, cost, interval, passes, memory, kind, similarity, design,
        excess_bytes=max(0.0, memory - most) if memory is not None and most is not None else 0.0,
    )  # fmt: skip
    base = results[reference.key] if reference is not None else None
    return replace(candidate, exclusion_reason=next(_exclusion_reasons(candidate, base, constraints), None))


def _cost(
    result: CaseResult, memory: float | None, goal: Goal
) -> tuple[float | None, Interval | None, Mapping[int, float]]:
    """Return what should be small, with its interval between processes and its passes where the run has them."""
    if goal == Goal.MEMORY:
        return memory, None, {}
    if goal == Goal.ENERGY:
        return result.telemetry.energy_per_image_j, None, {}
    figures, images = result.statistics, 1 if goal == Goal.LATENCY else result.settings.images or 1
    if figures.latency_median_s is None:
        return None, None, {}
    interval = None
    if figures.interval is IntervalKind.BETWEEN and figures.latency_low_s and figures.latency_high_s:
        interval = Interval(figures.latency_low_s / images, figures.latency_high_s / images)
    passes = {number: seconds / images for number, seconds in (figures.process_medians_s or {}).items()}
    return figures.latency_median_s / images, interval, passes


def _similarity(run: Run, case: Case, result: CaseResult, reference: Case | None) -> Similarity:
    """Return the similarity to the reference's pictures; known already if that is the case's own baseline."""
    if reference is None or case.key == reference.key or not result.status.measured:
        return Similarity()
    if case.baseline == reference.key:
        return result.similarity
    return similarity_between(run.folder, case.key, reference.key)


def _batch(
    run: Run, case: Case, reference: Case, design: tuple[str, ...], constraints: Constraints
) -> tuple[tuple[str, ...], Similarity]:
    """Return what makes another image, and the similarity of the pictures that both make: for a batch, maybe nothing.

    With one seed per image, the first picture of a batch is that of a single call; with one seed for all it is not.
    """
    found = similarity_between(run.folder, case.key, reference.key, shared=True)
    close = found.psnr_db is not None and found.psnr_db >= constraints.min_psnr_db and not alarms(found)
    return () if close and set(design) <= {BATCH, "seed"} else design, found


def _exclusion_reasons(candidate: Candidate, base: CaseResult | None, wanted: Constraints) -> Iterator[ExclusionReason]:
    """Yield what excludes a candidate, which is complete but for its reason; `base` is the reference's result."""
    result = candidate.result
    if result.status not in {Status.OK, Status.DIFFERS}:
        yield ExclusionReason(ExclusionKind.STATUS)
    if other := _other_work(result, base, wanted.goal):
        yield ExclusionReason(ExclusionKind.OTHER_WORK, other)
    if candidate.design and not wanted.other_images:
        yield ExclusionReason(ExclusionKind.ANOTHER_IMAGE)
    if not candidate.design and base is not None and base.key != result.key:
        yield from _image_reasons(candidate, wanted.min_psnr_db)
    if result.status is Status.DIFFERS:  # from its own baseline, whatever the reference is
        yield from (ExclusionReason(ExclusionKind.PART_DIFFERS, remark=remark) for remark in alarms(result.similarity))
    if candidate.memory_bytes is None and wanted.max_memory_bytes is not None:
        yield ExclusionReason(ExclusionKind.MEMORY_UNKNOWN)
    if candidate.cost is None:
        yield ExclusionReason(ExclusionKind.NO_FIGURE)
    if candidate.excess_bytes:
        yield ExclusionReason(ExclusionKind.TOO_MUCH_MEMORY, limit=wanted.max_memory_bytes)


def _image_reasons(candidate: Candidate, least_db: float) -> Iterator[ExclusionReason]:
    """Yield why the pictures of a candidate, which should be the reference's, are not."""
    if candidate.psnr_db is None:
        yield ExclusionReason(ExclusionKind.NO_PICTURES)
    elif candidate.psnr_db < least_db:
        yield ExclusionReason(ExclusionKind.IMAGE_DIFFERS, limit=least_db)
    for remark in alarms(candidate.similarity):
        yield ExclusionReason(ExclusionKind.PART_DIFFERS, remark=remark)


def _other_work(result: CaseResult, base: CaseResult | None, goal: Goal) -> tuple[Difference, ...]:
    """Return where a case does different work from the reference, so that no figure of the two can be compared."""
    if base is None:
        return ()
    images = ["images"] if goal in {Goal.LATENCY, Goal.MEMORY} else []
    return differences(base.settings, result.settings, ["size", "output_type", "width", "height", *images])
