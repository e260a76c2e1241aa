"""Every sentence about a comparison, a gate or a recommendation, pinned once."""

from dataclasses import replace

import pytest
from analyze.make import case, result

from bench.analyze.baselines import Saved
from bench.analyze.candidates import Candidate, ExclusionKind, ExclusionReason
from bench.analyze.comparison import Difference, EnvironmentDifference, Pair
from bench.analyze.gate import GateVerdict, Judged, Reason
from bench.present import verdicts
from bench.records.case_result import Similarity
from bench.records.outcomes import PeakKind, Remark, RemarkKind
from bench.statistics import Interval
from bench.units import GIB


def with_peaks(*peaks, kind=PeakKind.ALLOCATED):
    return result(process_peaks_bytes=dict(enumerate(peaks)), process_peaks_kind=kind)


BASE, NEW = with_peaks(GIB), with_peaks(2 * GIB)
TORCH = Difference("dtypes", "float32", ("a", "b"))
SLOWER = Pair("sd/x", BASE, NEW, 1.05, Interval(1.04, 1.06), (6, 6), psnr_db=12.34)
VARIES = (
    "median peak memory 1.00 GiB -> 2.00 GiB (+1.00 GiB) varies between processes, and 1 and 1 of them do not show "
    "whether it grew"
)
SPAN = "latency +5.0 %, 95 % interval +4.0 % to +6.0 %"


def gated(reason, **changes):
    return verdicts.gate_reasons(Judged(replace(SLOWER, **changes), 0.03, GateVerdict.PASSED, (reason,)))


def test_a_difference():
    assert verdicts.difference(TORCH) == "dtypes: float32 -> a+b"


def test_a_difference_from_something_unknown():
    assert verdicts.difference(Difference("offload", None, "model")) == "offload: (none) -> model"


def test_a_difference_between_machines():
    found = EnvironmentDifference("torch", (("2.9.0", "2.9.1"), (None,)))
    assert verdicts.environment(found) == "torch: 2.9.0, 2.9.1 -> (none)"


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (SLOWER, "slower"),
        (replace(SLOWER, ratio=0.9, interval=Interval(0.8, 0.95)), "faster"),
        (replace(SLOWER, interval=Interval(0.9, 1.2)), "no difference shown"),
        (replace(SLOWER, interval=None), "too few processes"),
        (replace(SLOWER, settings=(TORCH,)), "other settings"),
        (replace(SLOWER, new=None), "only in base"),
        (replace(SLOWER, base=None), "only in new"),
        (replace(SLOWER, new=result(status="unstable")), "slower (new unstable)"),
        (replace(SLOWER, base=result(status="unstable")), "slower (base unstable)"),
        (
            replace(SLOWER, base=result(status="unstable"), new=result(status="unstable")),
            "slower (base and new unstable)",
        ),
        (replace(SLOWER, ratio=None, new=result(status="oom")), "ok -> oom"),
        (replace(SLOWER, ratio=None, base=result(status="oom"), new=result(status="oom")), "oom on both"),
    ],
)
def test_what_a_pair_shows(pair, text):
    assert verdicts.compared(pair) == text


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (SLOWER, "+5.0 % [+4.0, +6.0]"),
        (replace(SLOWER, interval=None), "+5.0 %"),
        (replace(SLOWER, ratio=None), ""),
    ],
)
def test_a_change(pair, text):
    assert verdicts.change(pair) == text


@pytest.mark.parametrize(
    ("base", "text"), [(BASE, "2.00 GiB (+1.00 GiB)"), (NEW, "2.00 GiB"), (result(), "2.00 GiB"), (None, "2.00 GiB")]
)
def test_the_peak_of_the_new_side_with_its_change(base, text):
    assert verdicts.memory(replace(SLOWER, base=base)) == text


def test_a_change_of_resident_size_that_the_spread_explains_says_so():
    base, new = (with_peaks(*peaks, kind=PeakKind.RSS_GROWTH) for peaks in ([GIB, 3 * GIB] * 2, [2 * GIB, 4 * GIB] * 2))
    assert verdicts.memory(replace(SLOWER, base=base, new=new)) == "3.00 GiB (+1.00 GiB, may be noise)"


def test_a_remark_of_one_side_names_it_and_the_cases():
    busy, idle = result(remarks="disturbed:0.4"), result(remarks="idle(vae_tiling)")
    pairs = [
        Pair("sd/a", result(), busy),
        Pair("sd/b", idle, busy),
        Pair("sd/c", busy, result(remarks="disturbed:0.1")),
    ]
    assert verdicts.other_remarks(pairs, "monday", "friday") == [
        "only in monday: nothing to do (sd/b)",
        "only in friday: disturbed (sd/a, sd/b)",
    ]


def test_how_many_cases_differ_is_beside_how_many_would_by_chance():
    """By hand: 2.5 % of 86 is 2.15."""
    pairs = [replace(SLOWER, key=f"sd/{at}") for at in range(86)]
    assert verdicts.by_chance([*pairs, replace(SLOWER, interval=None)], "friday") == (
        "friday: 86 slower and 0 faster of 86 cases; by chance alone, about 2.1 would be slower and as many faster if "
        "nothing had changed."
    )


def test_without_an_interval_nothing_is_said_of_chance():
    assert verdicts.by_chance([replace(SLOWER, interval=None)], "friday") == ""


def test_a_difference_in_all_cases_is_said_once():
    pairs = [replace(SLOWER, key=key, effective=(TORCH,)) for key in ("sd/a", "sd/b")]
    assert verdicts.grouped(pairs, lambda pair: pair.effective, "in effect: ") == [
        "in effect: dtypes: float32 -> a+b (all cases)"
    ]


def test_a_difference_in_some_cases_names_them():
    pairs = [replace(SLOWER, effective=(TORCH,)), replace(SLOWER, key="sd/b")]
    assert verdicts.grouped(pairs, lambda pair: pair.effective) == ["dtypes: float32 -> a+b (sd/x)"]


@pytest.mark.parametrize(
    ("reason", "changes", "text"),
    [
        (Reason.NO_BASELINE, {}, "its scenario has no baseline; save one with: bench save-baseline RUN"),
        (Reason.MISSING, {}, "the new side did not measure this case"),
        (
            Reason.OTHER_DEVICE,
            {"new": result(device_name="NVIDIA H200")},
            "different device: NVIDIA A100-SXM4-80GB -> NVIDIA H200",
        ),
        (Reason.OTHER_SETTINGS, {"settings": (TORCH,)}, "different settings: dtypes: float32 -> a+b"),
        (
            Reason.OTHER_WORK,
            {"effective": (Difference("denoiser_calls", 50, 49),)},
            "different work: denoiser_calls: 50 -> 49",
        ),
        (Reason.OTHER_IMAGE, {}, "different image from the same seed: PSNR 12.3 dB"),
        (Reason.INTERRUPTED, {"new": result(status="interrupted")}, "ok -> interrupted: finish measuring it"),
        (
            Reason.BASE_FAULTY,
            {"base": result(status="failed", reason="broke")},
            "the base is failed (broke), so there is nothing to compare with",
        ),
        (Reason.STATUS_WORSE, {"new": result(status="oom", reason="full")}, "ok -> oom (full)"),
        (
            Reason.NEWLY_MEASURED,
            {"base": result(status="oom")},
            "oom -> ok: the base has no figures to compare with",
        ),
        (Reason.SAME_STATUS, {"new": result(status="oom")}, "oom as before"),
        (
            Reason.NEITHER_MEASURED,
            {"base": result(status="oom"), "new": result(status="skipped")},
            "oom -> skipped: neither side was measured",
        ),
        (
            Reason.RECOMPILES,
            {"new": result(status="unstable")},
            "ok -> unstable: it compiles more graphs during sampling than the base",
        ),
        (Reason.UNSTABLE, {"new": result(status="unstable")}, "ok -> unstable: an unstable latency cannot pass"),
        (
            Reason.UNSTABLE_AND_SLOWER,
            {"new": result(status="unstable")},
            f"{SPAN}, all of it above +3.0 %; ok -> unstable",
        ),
        (
            Reason.TOO_FEW_PROCESSES,
            {"interval": None, "processes": (1, 2)},
            "latency +5.0 %, from 1 and 2 processes: an interval needs 3 per side (--processes 4)",
        ),
        (Reason.SLOWER, {}, f"{SPAN}, all of it above +3.0 %"),
        (Reason.NOT_SLOWER, {}, SPAN),
        (Reason.UNDECIDED, {}, f"{SPAN}: +3.0 % lies within it"),
        (Reason.MEMORY_UNKNOWN, {"base": result()}, "the base side has no recorded peak memory"),
        (Reason.MEMORY_UNKNOWN, {"new": result()}, "the new side has no recorded peak memory"),
        (Reason.MEMORY_GREW, {}, "median peak memory 1.00 GiB -> 2.00 GiB (+1.00 GiB), beyond +16 MiB"),
        (
            Reason.MEMORY_VARIES,
            {},
            VARIES,
        ),
        (Reason.MEMORY_KEPT, {"new": BASE}, "median peak memory 1.00 GiB -> 1.00 GiB (+0 MiB)"),
    ],
)
def test_what_led_to_a_verdict(reason, changes, text):
    assert gated(reason, **changes) == text


def test_every_reason_of_the_gate_has_words():
    assert verdicts.REASONS.keys() == set(Reason)


def test_several_reasons_are_joined():
    judged = Judged(SLOWER, 0.03, GateVerdict.REGRESSED, (Reason.SLOWER, Reason.MISSING))
    assert verdicts.gate_reasons(judged) == f"{SPAN}, all of it above +3.0 %; the new side did not measure this case"


@pytest.mark.parametrize(
    ("kind", "details", "candidate", "text"),
    [
        (ExclusionKind.STATUS, {}, {"result": result(status="oom", reason="full")}, "oom: full"),
        (
            ExclusionKind.OTHER_WORK,
            {"differences": (Difference("width", 512, 1024),)},
            {},
            "different work from the reference (width: 512 -> 1024)",
        ),
        (ExclusionKind.ANOTHER_IMAGE, {}, {"design": ("scheduler",)}, "a different image by design (scheduler)"),
        (ExclusionKind.NO_PICTURES, {}, {}, "its pictures cannot be compared with the reference's"),
        (
            ExclusionKind.IMAGE_DIFFERS,
            {"limit": 30.0},
            {"similarity": Similarity(psnr_db=29.96)},
            "the image differs: 29.9 dB < 30 dB",
        ),
        (
            ExclusionKind.PART_DIFFERS,
            {"remark": Remark(RemarkKind.COLOR_DIFFERS, 5.37)},
            {},
            "color differs: by a Delta E of 5.4 on average, although no setting explains it",
        ),
        (ExclusionKind.MEMORY_UNKNOWN, {}, {}, "its peak memory is unknown"),
        (ExclusionKind.NO_FIGURE, {}, {}, "the objective was not measured"),
        (
            ExclusionKind.TOO_MUCH_MEMORY,
            {"limit": 8.0 * GIB},
            {"memory_bytes": 9.1 * GIB, "memory_kind": "reserved_bytes", "excess_bytes": 1.1 * GIB},
            "too much memory: 9.10 GiB reserved on the device, 1.10 GiB more than allowed",
        ),
    ],
)
def test_why_a_case_cannot_be_recommended(kind, details, candidate, text):
    reason = ExclusionReason(kind, **details)
    found = Candidate(case(), **{"result": BASE, "exclusion_reason": reason, **candidate})
    assert verdicts.excluded(found) == text


def test_every_reason_of_a_recommendation_has_words():
    assert verdicts.EXCLUDED.keys() == set(ExclusionKind)


def test_what_to_know_about_saved_baselines():
    saved = Saved((), ("sd/a",), left_out=("sd/b",), unstable=("sd/c",), few_processes=("sd/d",), lost=("sd/e",))
    assert verdicts.saved_baselines(saved) == [
        "left out, because a baseline cannot have status failed, crashed, timeout, interrupted: sd/b",
        "unstable, so no latency can pass against them: sd/c",
        "fewer than 3 processes (measure with --processes 4), so their latency cannot be judged: sd/d",
        "no longer in the baseline, because the run did not measure them: sd/e",
    ]


def test_of_saved_baselines_that_are_whole_nothing_is_said():
    assert verdicts.saved_baselines(Saved((), ("sd/a",), (), (), (), ())) == []
