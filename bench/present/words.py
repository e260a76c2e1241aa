"""Every sentence about a result, worded once. Records hold codes; this is where they become English.

A function returns an empty string where there is nothing to say. `claims` words the documented figures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isinf
from typing import Any

from bench import units
from bench.analyze.highlights import Detail, NoGain, tiny_among
from bench.analyze.memory import MEMORY_KINDS
from bench.analyze.recommend import ONE_PROCESS
from bench.analyze.similarity import another_image
from bench.records.case_result import CaseResult, Comparison
from bench.records.environment import CARD, CARD_COUNT
from bench.records.outcomes import Expectation, IntervalKind, Remark, RemarkKind, Status, Tiny

TINY_WARNINGS = {
    Tiny.NONE: "",
    Tiny.SOME: "PARTLY TINY MODELS: cases marked (tiny) have toy width and say nothing about the full-size models.",
    Tiny.ALL: "TINY MODELS: the real classes at toy width. Their figures say nothing about the full-size models.",
}
TINY_TAGS = {Tiny.NONE: "", Tiny.SOME: "partly tiny", Tiny.ALL: "tiny"}
RANDOM_WEIGHTS = (
    "Random weights: time and memory hardly depend on the values, but the pictures do, and show only noise. If two of "
    "them agree, it only means that two computations agree."
)
PICTURE_DIFFERS = "picture differs"
FRONT = (
    "On the front: no other case is at least as good in time, memory and similarity (PSNR) and better in one of them. "
    "Cases that make a different picture by design, or have none to compare, are compared only with each other, in "
    "time and memory. Memory is the highest peak of loading, the first call and a generation."
)

NO_GAIN = {
    NoGain.NOTHING_COMPARED: "there is nothing to compare, because no baseline was measured with another case",
    NoGain.NONE_FASTER: "no case was faster than its baseline",
    NoGain.NOT_SHOWN: (
        f"no gain with the same image: each case is within {ONE_PROCESS:.0%} or its interval, or not ok"
    ),
}
INTERVALS = {IntervalKind.WITHIN: "within one process", IntervalKind.BETWEEN: "between processes"}
BLENDED = {"vae_tiling": "because its tiles are decoded separately and blended"}
"""Approximate optimization -> why its image differs."""
UNEXPLAINED = "although no setting explains it"
REMARKS: Mapping[RemarkKind, tuple[str, Callable[[float, str], str]]] = {
    RemarkKind.HOST_BOUND: (
        "host-bound",
        lambda share, _: f"the device computes for {share:.0%} of a call; otherwise it waits for the host",
    ),
    RemarkKind.DISTURBED: (
        "disturbed",
        lambda share, some: f"other programs had its core for {_most(some)}{share:.0%} of the time{_in(some)}",
    ),
    RemarkKind.BUSY_MACHINE: (
        "busy machine",
        lambda cores, some: f"other programs kept {_most(some)}{cores:.2f} cores busy{_in(some)}",
    ),
    RemarkKind.SHARED_DEVICE: (
        "shared device",
        lambda others, some: f"{_most(some)}{count(int(others), 'other process')} used the card{_in(some)}",
    ),
    RemarkKind.SEVERAL_CARDS: (
        "several cards",
        lambda cards, _: (
            f"the run was continued on another card of this model, so it was measured on {cards:.0f} cards"
        ),
    ),
    RemarkKind.THERMAL_SLOWDOWN: (
        "too hot",
        lambda share, some: f"the card was slowed down for heat for {_most(some)}{share:.0%} of the time{_in(some)}",
    ),
    RemarkKind.POWER_CAP: (
        "power cap",
        lambda share, some: f"the card was at its power limit for {_most(some)}{share:.0%} of the time{_in(some)}",
    ),
    RemarkKind.REJECTED: (
        "throttled",
        lambda calls, some: f"{count(int(calls), 'sample')} thrown away because the hardware slowed down{_in(some)}",
    ),
    RemarkKind.NEVER_WARM: (
        "never warm",
        lambda _, some: f"calls were still changing when warm-up ended{_in(some)}",
    ),
    RemarkKind.WARMUP_CUT_SHORT: (
        "perhaps not warm",
        lambda calls, some: f"warm-up ran out of time after {count(int(calls), 'call')}{_in(some)}",
    ),
    RemarkKind.STEADINESS_UNKNOWN: (
        "steadiness unknown",
        lambda _, some: f"too few samples to tell whether calls were still changing{_in(some)}",
    ),
    RemarkKind.IMAGE_DIFFERS: (
        "image differs",
        lambda psnr, name: f"{units.decibels(psnr)} PSNR against the baseline's, {BLENDED.get(name, UNEXPLAINED)}",
    ),
    RemarkKind.REGION_DIFFERS: (
        "part of the image differs",
        lambda ssim, name: f"SSIM {ssim:.2f} in the worst window, {BLENDED.get(name, UNEXPLAINED)}",
    ),
    RemarkKind.COLOR_DIFFERS: (
        "color differs",
        lambda shift, name: f"by a Delta E of {shift:.1f} on average, {BLENDED.get(name, UNEXPLAINED)}",
    ),
    RemarkKind.IDLE: ("nothing to do", lambda _, name: f"{name} is on, but there was nothing for it to do"),
    RemarkKind.RESIZED: (
        "resized",
        lambda _, size: f"{size} pixels were asked for, but the pipeline draws another size",
    ),
    RemarkKind.OTHER_LENGTH: (
        "other length",
        lambda frames, _: f"{frames:.0f} frames were asked for, but the pipeline draws another number",
    ),
    RemarkKind.NO_DENOISER: (
        "no denoiser",
        lambda _, name: f"no component of {name} is known to be the denoiser, so its calls and its time are unknown",
    ),
    RemarkKind.NO_PART: (
        "outside the parts",
        lambda _, name: (
            f"it is not known what the component {name} is for, so its time counts as that of other components"
        ),
    ),
    RemarkKind.NO_PICTURE: ("no picture", lambda _, name: f"it is not known how {name} decodes its latents"),
    RemarkKind.NOT_PINNED: (
        "not pinned",
        lambda *_: "other measurements have every core, or another user made the folder of the locks",
    ),
    RemarkKind.OVERRIDDEN: (
        "overridden",
        lambda _, name: f"the environment variable {name} overrides a setting",
    ),
}
"""Remark -> its name, and its sentence made of its value and its subject."""


def _most(some: str) -> str:
    """Return what is before a figure of the most disturbed of several processes."""
    return "up to " if some else ""


def _in(some: str) -> str:
    """Return how many of a case's processes a remark is about, where it has several."""
    return f" in {some} processes" if some else ""


def disturbed(results: Iterable[CaseResult]) -> str:
    """Return how many processes of a table did not have the machine to themselves."""
    figures = [result.statistics for result in results]
    found, processes = sum(each.disturbed_processes or 0 for each in figures), sum(each.processes for each in figures)
    return f"{found} of {count(processes, 'process')} disturbed by other work on the machine" if found else ""


def caution(results: Iterable[CaseResult]) -> str:
    """Return the warning for results of which some are of tiny models."""
    return TINY_WARNINGS[tiny_among(results)]


def label(result: CaseResult) -> str:
    """Return the label that goes with a case's name wherever its figures appear: tiny, unstable, another picture."""
    flags = {
        "tiny": result.tiny,
        str(Status.UNSTABLE): result.status is Status.UNSTABLE,
        PICTURE_DIFFERS: unexplained(result),
    }
    return ", ".join(name for name, applies in flags.items() if applies)


def unexplained(result: CaseResult) -> bool:
    """Return whether a case's picture is not the baseline's although no setting of the case explains it."""
    kinds = {RemarkKind.IMAGE_DIFFERS, RemarkKind.REGION_DIFFERS, RemarkKind.COLOR_DIFFERS}
    return any(remark.kind in kinds and remark.subject not in BLENDED for remark in result.remarks)


def outcome(result: CaseResult) -> str:
    """Return how a case ended, with its reason."""
    return ": ".join(filter(None, [result.status, result.reason]))


def remark(remark: Remark) -> str:
    """Return a remark's name and its explanation."""
    return f"{warning(remark.kind)}: {warning_detail(remark)}"


def notes(result: CaseResult) -> str:
    """Return why a case has no figures, or what is odd about those it has."""
    return "; ".join(filter(None, [result.reason, *map(remark, result.remarks)]))


def warning(kind: RemarkKind | Status) -> str:
    """Return the name of what is odd about a case."""
    return REMARKS[kind][0] if isinstance(kind, RemarkKind) else kind


def warning_detail(detail: Detail) -> str:
    """Return what a warning says about its cases, without its name."""
    return REMARKS[detail.kind][1](detail.value or 0.0, detail.subject) if isinstance(detail, Remark) else detail


def speedup(comparison: Comparison) -> str:
    """Return a speed-up with its interval, where it has one."""
    return f"{units.ratio(comparison.speedup)}{units.bounds(comparison.speedup_low, comparison.speedup_high)}"


def intervals(results: Sequence[CaseResult]) -> str:
    """Return what the intervals of a table cover."""
    kinds = sorted({INTERVALS[kind] for each in results if (kind := each.statistics.interval) is not None})
    paired = " Those of speed-ups are over blocks." if any(each.comparison.speedup_low for each in results) else ""
    return f"Intervals: 95 %, {' and '.join(kinds)}.{paired}" if kinds else ""


def expected(result: CaseResult) -> str:
    """Return which image a case should make."""
    match result.similarity.expected_image:
        case Expectation.REFERENCE:
            return "the baseline"
        case Expectation.ANOTHER:
            return f"a different image by design ({', '.join(result.similarity.changed_by)})"
        case Expectation.SAME:
            return "same image expected"
        case None:
            return ""


def psnr(result: CaseResult) -> str:
    """Return the PSNR for a table: only where the same image is expected and both are there."""
    decibels = result.similarity.psnr_db
    return "" if decibels is None or another_image(result) else units.decibels(decibels)


def pictures(result: CaseResult) -> str:
    """Return the figures of two pictures that were compared, whatever was expected of them."""
    found = result.similarity
    ssim = "" if found.ssim is None else f"SSIM {found.ssim:.4f}"
    worst = "" if found.ssim_min is None else f"{found.ssim_min:.2f} in the worst window"
    color = "" if found.color_shift is None else f"Delta E {found.color_shift:.1f}"
    lpips = "" if found.lpips is None else f"LPIPS {found.lpips:.3f}"
    return ", ".join(filter(None, [decibels(found.psnr_db), ssim, worst, color, lpips]))


def decibels(value: float | None) -> str:
    """Return a PSNR with its name, unless the pictures are identical."""
    text = "" if value is None else units.decibels(value)
    return f"PSNR {text}" if value is not None and not isinf(value) else text


def peak(value: float | None, kind: str) -> str:
    """Return a peak of memory with what it is of, a key of `MEMORY_KINDS`."""
    return "" if value is None else f"{units.memory(value)} {MEMORY_KINDS[kind]}"


def device(environment: Mapping[str, Any], unknown: str = "unknown device") -> str:
    """Return the device of a run: its model, and which of several cards it was."""
    name, number = environment.get("device_name") or unknown, environment.get(CARD)
    count = environment.get(CARD_COUNT)
    several = isinstance(count, int) and count > 1 and number is not None
    return f"{name} (card {number})" if several else str(name)


def versions(environment: Mapping[str, object], *names: str) -> str:
    """Return these versions of a run's environment, without those that are unknown."""
    return ", ".join(f"{name} {environment[name]}" for name in names if environment.get(name))


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
