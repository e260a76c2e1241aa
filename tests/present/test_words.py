"""Every sentence about a result, pinned once. Other tests assert on types and fields."""

from dataclasses import replace

import pytest
from analyze.make import result

from bench.analyze.highlights import NoGain
from bench.present import claims, words
from bench.records.outcomes import ClaimVerdict, NotJudged, Remark, RemarkKind, Status, Tiny

TINY, FULL = result(size="tiny"), result(size="full")


def judged(verdict=None, **columns):
    return claims.verdict(result(claim_verdict=verdict, **columns))


@pytest.mark.parametrize(
    ("tiny", "warning"),
    [
        ([False, False], ""),
        ([], ""),
        (
            [True, True],
            "TINY MODELS: the real classes at toy width. Their figures say nothing about the full-size models.",
        ),
        (
            [True, False],
            "PARTLY TINY MODELS: cases marked (tiny) have toy width and say nothing about the full-size models.",
        ),
    ],
)
def test_the_warning_for_tiny_models(tiny, warning):
    assert words.TINY_WARNINGS[Tiny.among(tiny)] == warning


def test_a_case_that_was_not_measured_makes_no_run_partly_tiny():
    assert words.caution([TINY, result(status="skipped", size="full")]) == words.TINY_WARNINGS[Tiny.ALL]


def test_a_case_of_unknown_size_makes_no_run_partly_tiny():
    assert words.caution([TINY, result(size=None)]) == words.TINY_WARNINGS[Tiny.ALL]


def test_tiny_and_full_size_results_are_a_partly_tiny_run():
    assert words.caution([TINY, FULL]) == words.TINY_WARNINGS[Tiny.SOME]


@pytest.mark.parametrize(
    ("columns", "label"),
    [({}, ""), ({"size": "tiny"}, "tiny"), ({"size": "tiny", "status": "unstable"}, "tiny, unstable")],
)
def test_the_label_of_a_case(columns, label):
    assert words.label(result(**columns)) == label


@pytest.mark.parametrize(("subject", "label"), [("", "picture differs"), ("vae_tiling", "")])
def test_a_picture_that_differs_for_no_reason_is_marked_beside_the_name(subject, label):
    remark = Remark(RemarkKind.IMAGE_DIFFERS, 26.0, subject)
    assert words.label(replace(result(), remarks=(remark,))) == label


def test_an_outcome_has_its_reason():
    assert words.outcome(result(status="oom", reason="16 GiB asked for")) == "oom: 16 GiB asked for"


def test_an_outcome_without_a_reason_is_the_status():
    assert words.outcome(result(status="oom")) == "oom"


@pytest.mark.parametrize(
    ("remark", "text"),
    [
        (
            Remark(RemarkKind.HOST_BOUND, 0.624),
            "host-bound: the device computes for 62% of a call; otherwise it waits for the host",
        ),
        (Remark(RemarkKind.DISTURBED, 0.12), "disturbed: other programs had its core for 12% of the time"),
        (
            Remark(RemarkKind.BUSY_MACHINE, 0.949, "2 of 4"),
            "busy machine: other programs kept up to 0.95 cores busy in 2 of 4 processes",
        ),
        (Remark(RemarkKind.SHARED_DEVICE, 1), "shared device: 1 other process used the card"),
        (
            Remark(RemarkKind.THERMAL_SLOWDOWN, 0.2, "2 of 4"),
            "too hot: the card was slowed down for heat for up to 20% of the time in 2 of 4 processes",
        ),
        (
            Remark(RemarkKind.SEVERAL_CARDS, 2),
            "several cards: the run was continued on another card of this model, so it was measured on 2 cards",
        ),
        (Remark(RemarkKind.POWER_CAP, 0.9), "power cap: the card was at its power limit for 90% of the time"),
        (Remark(RemarkKind.REJECTED, 3), "throttled: 3 samples thrown away because the hardware slowed down"),
        (Remark(RemarkKind.NEVER_WARM), "never warm: calls were still changing when warm-up ended"),
        (
            Remark(RemarkKind.STEADINESS_UNKNOWN),
            "steadiness unknown: too few samples to tell whether calls were still changing",
        ),
        (Remark(RemarkKind.WARMUP_CUT_SHORT, 1), "perhaps not warm: warm-up ran out of time after 1 call"),
        (
            Remark(RemarkKind.IMAGE_DIFFERS, 17.42),
            "image differs: 17.4 dB PSNR against the baseline's, although no setting explains it",
        ),
        (
            Remark(RemarkKind.IMAGE_DIFFERS, 27.0, "vae_tiling"),
            "image differs: 27.0 dB PSNR against the baseline's, because its tiles are decoded separately and blended",
        ),
        (
            Remark(RemarkKind.REGION_DIFFERS, -0.02),
            "part of the image differs: SSIM -0.02 in the worst window, although no setting explains it",
        ),
        (
            Remark(RemarkKind.IDLE, subject="vae_slicing"),
            "nothing to do: vae_slicing is on, but there was nothing for it to do",
        ),
        (
            Remark(RemarkKind.OVERRIDDEN, subject="NVIDIA_TF32_OVERRIDE=0"),
            "overridden: the environment variable NVIDIA_TF32_OVERRIDE=0 overrides a setting",
        ),
    ],
)
def test_a_remark(remark, text):
    assert words.remark(remark) == text


def test_every_remark_has_words():
    assert words.REMARKS.keys() == set(RemarkKind)


def test_notes_are_the_reason_and_the_remarks():
    found = result(status="unstable", reason="still drifting", remarks="never-warm")
    assert words.notes(found) == "still drifting; never warm: calls were still changing when warm-up ended"


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (None, ""),
        (ClaimVerdict.AS_DOCUMENTED, "as documented"),
        (ClaimVerdict.FASTER, "faster than documented"),
        (ClaimVerdict.SLOWER, "slower than documented"),
        (ClaimVerdict.GAINS_MORE, "gains more than documented"),
        (ClaimVerdict.GAINS_LESS, "gains less than documented"),
        (ClaimVerdict.UNDECIDED, "undecided within its uncertainty"),
    ],
)
def test_a_verdict(verdict, text):
    assert judged(verdict) == text


def test_the_verdict_on_a_documented_outcome():
    assert judged(ClaimVerdict.OTHER_STATUS, claim_status="oom", status="ok") == "documented oom, here ok"


@pytest.mark.parametrize(
    ("why", "columns", "text"),
    [
        (NotJudged.TINY_MODEL, {}, "not judged: a tiny model"),
        (NotJudged.OTHER_DEVICE, {"claim_device": "NVIDIA T4"}, "not judged: documented on NVIDIA T4"),
        (NotJudged.OTHER_DEVICE, {}, "not judged: documented on an unnamed device"),
        (NotJudged.NOT_MEASURED, {"status": "oom"}, "not judged: oom"),
        (NotJudged.NO_FIGURE, {}, "not judged: no figure to compare"),
        (NotJudged.NO_BASELINE, {}, "not judged: its baseline was not measured"),
    ],
)
def test_why_a_figure_was_not_judged(why, columns, text):
    assert judged(ClaimVerdict.NOT_JUDGED, claim_not_judged=why, **columns) == text


SPEEDUP = {"claim_judged_by": "speedup", "claim_verdict": "gains-less", "claim_speedup_verdict": "gains-less"}


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (SPEEDUP, "gains less than documented"),
        (
            {"claim_judged_by": "latency", "claim_verdict": "faster", "claim_speedup_verdict": "gains-less"},
            "faster than documented; its speed-up gains less than documented",
        ),
        (
            {**SPEEDUP, "claim_other_speedup": 1.43, "claim_other_verdict": "as-documented"},
            "gains less than documented; read as x1.43: as documented",
        ),
        (
            {**SPEEDUP, "claim_parameter_verdict": "gains-less", "parameter_reduction": 0.439},
            "gains less than documented; 44% fewer parameters: less than documented",
        ),
        (
            {
                "claim_judged_by": "memory", "claim_verdict": "gains-more", "claim_memory_verdict": "gains-more",
                "memory_reduction": 0.6,
            },
            "60% less memory: more than documented",
        ),
    ],
)  # fmt: skip
def test_all_verdicts_on_a_case(columns, text):
    assert claims.all_verdicts(result(**columns)) == text


def test_every_reason_not_to_judge_has_words():
    assert claims.NOT_JUDGED.keys() == set(NotJudged)


def test_cases_are_grouped_by_what_their_verdict_says():
    found = [
        result("a", claim_verdict="not-judged", claim_not_judged="other-device", claim_device="NVIDIA T4"),
        result("b", claim_verdict="faster", claim_judged_by="latency"),
        result("c"),
    ]
    groups = claims.verdict_groups(found)
    assert {text: [each.case for each in group] for text, group in groups.items()} == {
        "faster than documented": ["b"],
        "not judged: documented on NVIDIA T4": ["a"],
    }


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"claim_latency_s": 3.51, "claim_speedup": 1.5}, "3.51 s, x1.50"),
        ({"claim_latency_s": 2.0, "claim_over_calls": 3}, "2.00 s (6.00 s over 3 calls)"),
        ({"claim_seconds_per_image": 3.5, "claim_approximate": True}, "about 3.50 s/image"),
        ({"claim_speedup": 1.2, "claim_approximate": True}, "about x1.20"),
        ({"claim_parameter_reduction": 0.51, "claim_speedup": 2.0}, "x2.00, 51% fewer parameters"),
        ({"claim_memory_reduction": 0.4}, "40% less memory"),
        (
            {"claim_speedup": 1.754, "claim_speedup_inferred": True, "claim_other_speedup": 1.43},
            "x1.75 (inferred; or x1.43)",
        ),
        ({"claim_status": "oom"}, "oom"),
        ({"claim_approximate": True}, ""),
        ({"claim_speedup": 1.0, "baseline": "baseline"}, ""),
    ],
)
def test_the_documented_figures(columns, text):
    assert claims.documented(result(**columns)) == text


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({}, ""),
        ({"speedup": 1.5}, "x1.50"),
        ({"speedup": 1.5, "speedup_low": 1.4, "speedup_high": 1.6}, "x1.50 [1.40, 1.60]"),
    ],
)
def test_a_speed_up(columns, text):
    assert words.speedup(result(**columns).comparison) == text


def test_what_intervals_cover():
    found = [result(interval="within-process"), result(interval="between-processes", speedup_low=1.1)]
    assert words.intervals(found) == (
        "Intervals: 95 %, between processes and within one process. Those of speed-ups are over blocks."
    )


def test_without_intervals_nothing_is_said_of_them():
    assert words.intervals([FULL]) == ""


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"expected_image": "reference"}, "the baseline"),
        ({"expected_image": "same-image"}, "same image expected"),
        (
            {"expected_image": "another-image", "changed_by": "scheduler+steps"},
            "a different image by design (scheduler, steps)",
        ),
        ({}, ""),
    ],
)
def test_the_expected_image(columns, text):
    assert words.expected(result(**columns)) == text


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"expected_image": "same-image", "psnr_db": 42.13}, "42.1 dB"),
        ({"expected_image": "same-image", "psnr_db": float("inf")}, "identical"),
        ({"expected_image": "another-image", "psnr_db": 8.7}, ""),
        ({"expected_image": "same-image"}, ""),
    ],
)
def test_the_psnr_where_the_same_image_is_expected(columns, text):
    assert words.psnr(result(**columns)) == text


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"psnr_db": 8.7, "ssim": -0.11964}, "PSNR 8.7 dB, SSIM -0.1196"),
        ({"psnr_db": float("inf"), "ssim": 1.0}, "identical, SSIM 1.0000"),
        (
            {"psnr_db": 40.0, "ssim": 0.99, "ssim_min": 0.93, "color_shift": 0.04, "lpips": 0.0123},
            "PSNR 40.0 dB, SSIM 0.9900, 0.93 in the worst window, Delta E 0.0, LPIPS 0.012",
        ),
        ({}, ""),
    ],
)
def test_two_pictures_that_were_compared(columns, text):
    assert words.pictures(result(**columns)) == text


def test_a_peak_says_what_it_is_of():
    assert words.peak(2.0 * 2**30, "reserved_bytes") == "2.00 GiB reserved on the device"


def test_unknown_versions_are_left_out():
    assert words.versions({"torch": "2.9.0", "cuda": None}, "torch", "cuda", "driver") == "torch 2.9.0"


@pytest.mark.parametrize(("number", "text"), [(1, "1 case"), (0, "0 cases"), (2, "2 cases")])
def test_a_count(number, text):
    assert words.count(number, "case") == text


@pytest.mark.parametrize(
    ("why", "text"),
    [
        (NoGain.NOTHING_COMPARED, "there is nothing to compare, because no baseline was measured with another case"),
        (NoGain.NONE_FASTER, "no case was faster than its baseline"),
        (
            NoGain.NOT_SHOWN,
            "no gain with the same image: each case is within 7% or its interval, or not ok",
        ),
    ],
)
def test_why_no_case_is_named_as_faster(why, text):
    assert words.NO_GAIN[why] == text


@pytest.mark.parametrize(("kind", "text"), [(Status.OOM, "oom"), (RemarkKind.DISTURBED, "disturbed")])
def test_the_name_of_a_warning(kind, text):
    assert words.warning(kind) == text


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"device_name": "NVIDIA H200"}, "NVIDIA H200"),
        ({"device_name": "NVIDIA H200", "card": 0, "card_count": 1}, "NVIDIA H200"),
        ({"device_name": "NVIDIA H200", "card": 0, "card_count": 8}, "NVIDIA H200 (card 0)"),
        ({"device_name": "NVIDIA H200", "card": 0, "card_count": "8"}, "NVIDIA H200"),
        ({}, "unknown device"),
    ],
)
def test_a_device_is_named_with_its_number_if_there_are_several(facts, name):
    assert words.device(facts) == name
