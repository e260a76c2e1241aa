"""How close a case's pictures are to its baseline's, drawn from the same seeds: PSNR and SSIM (scikit-image).

A speed-up whose image is broken is not a speed-up. With random weights the pictures show nothing, so this is the
numeric agreement of two computations and no more. Settings that make another image by design (a scheduler, a model) are
named, and their images are not judged.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.plan.case import Case
from bench.records.case_result import CaseResult, Similarity
from bench.records.outcomes import Expectation, Remark, RemarkKind

ALARM_DB = 30.0
"""Below 30 dB a difference is called one; half precision alone stays above it."""

BY_DESIGN = ("model", "vae", "scheduler", "scheduler_config", "seed", "generator_device", "safety_checker")
APPROXIMATE = ("vae_tiling",)
"""Optimizations that are not exact rewritings: tiles are decoded separately and blended."""
NOT_OF_THE_IMAGE = ("output_type",)
IMAGES = "images"
_SMALLEST_SIDE = 7
"""Pixels of SSIM's window (Wang et al. 2004, as scikit-image computes it by default)."""


def expectation(case: Case, result: CaseResult, base: Case | None) -> Similarity:
    """Return which image a measured case should make; nothing is said of a case without a baseline."""
    if not result.status.measured or base is None:
        return Similarity()
    if base.key == case.key:
        return Similarity(expected_image=Expectation.REFERENCE)
    designed = by_design(case, base)  # of the plan: another image by design is one with or without pictures
    return Similarity(expected_image=Expectation.ANOTHER if designed else Expectation.SAME, changed_by=tuple(designed))


def compare_pictures(
    folder: Path, case: Case, result: CaseResult, base: Case | None
) -> tuple[Similarity, Remark | None]:
    """Return the similarity of a result with what its pictures show, and a remark where they should agree but differ.

    Args:
        folder: of the run.
        case: whose pictures are judged.
        result: of the case, with its `expectation`.
        base: the case that it is compared with; None where there is none.
    """
    pictures = _pictures(folder, case.scenario, case.name) if result.status.measured else []
    if not pictures:
        return result.similarity, None
    found = replace(result.similarity, image_sha256=hashlib.sha256(pictures[0].tobytes()).hexdigest())
    others = _pictures(folder, base.scenario, base.name) if base is not None and base.key != case.key else []
    if base is None or [picture.shape for picture in pictures] != [other.shape for other in others]:
        return found, None
    found = replace(found, psnr_db=_lowest_psnr(pictures, others), ssim=_lowest_ssim(pictures, others))
    if differs(found):
        added = sorted(set(case.optimizations) - set(base.optimizations))
        explained = next((name for name in added if name in APPROXIMATE), "")
        return found, Remark(RemarkKind.IMAGE_DIFFERS, found.psnr_db, explained)
    return found, None


def differs(similarity: Similarity) -> bool:
    """Say whether a picture differs that should be the baseline's."""
    expected = similarity.expected_image is Expectation.SAME
    return expected and similarity.psnr_db is not None and similarity.psnr_db < ALARM_DB


def another_image(result: CaseResult) -> bool:
    """Say whether a case is meant to make another image than its baseline."""
    return result.similarity.expected_image is Expectation.ANOTHER


def by_design(case: Case, base: Case) -> list[str]:
    """Return the settings in which two cases differ and that make another image."""
    settings = [name for name in BY_DESIGN if getattr(case, name) != getattr(base, name)]
    arguments = sorted({*case.call, *base.call} - set(NOT_OF_THE_IMAGE))
    return settings + [name for name in arguments if case.call.get(name) != base.call.get(name)]


def picture(folder: Path, scenario: str, case: str, index: int = 0) -> Path:
    """Return where a run keeps a picture of a case's first call."""
    return folder / IMAGES / scenario / f"{case}-{index}.png"


def psnr_between_runs(base: Path, new: Path, key: str) -> float | None:
    """Return the lowest PSNR in dB between two runs' pictures of one case; None where either has none, or another size.

    Args:
        base: the folder of a run.
        new: of another one.
        key: of the case, `scenario/case`.
    """
    pictures, others = (_pictures(folder, *key.split("/", 1)) for folder in (new, base))
    if not pictures or [picture.shape for picture in pictures] != [other.shape for other in others]:
        return None
    return _lowest_psnr(pictures, others)


def psnr_of_shared(folder: Path, case: Case, base: Case) -> float | None:
    """Return the lowest PSNR in dB of the first pictures of two cases of a run, as many as both have; None for none."""
    pairs = list(zip(*(_pictures(folder, each.scenario, each.name) for each in (case, base)), strict=False))
    if not pairs or any(one.shape != other.shape for one, other in pairs):
        return None
    return min(_psnr(one, other) for one, other in pairs)


def _pictures(folder: Path, scenario: str, case: str) -> list[Any]:
    """Return a case's pictures as arrays of bytes, height x width x 3."""
    import numpy as np

    found, index = [], 0
    while (path := picture(folder, scenario, case, index)).is_file():
        image = open_picture(path)
        if image is None:
            return []  # as good as absent: nothing is said of the case's pictures
        found.append(np.asarray(image))
        index += 1
    return found


def open_picture(path: Path) -> Any:
    """Return a picture as a PIL image in RGB; None for a damaged file, as a kill or a full disk leaves one."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # PIL raises each of them for one
        return None


def _lowest_psnr(pictures: list[Any], others: list[Any]) -> float:
    return min(_psnr(one, other) for one, other in zip(pictures, others, strict=True))


def _lowest_ssim(pictures: list[Any], others: list[Any]) -> float | None:
    pairs = zip(pictures, others, strict=True)
    return min((_ssim(one, other) for one, other in pairs if min(one.shape[:2]) >= _SMALLEST_SIDE), default=None)


def _psnr(one: Any, other: Any) -> float:
    """Return the PSNR in dB; infinite for identical pictures."""
    from skimage.metrics import peak_signal_noise_ratio

    return float("inf") if (one == other).all() else float(peak_signal_noise_ratio(one, other, data_range=255))


def _ssim(one: Any, other: Any) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(one, other, channel_axis=2, data_range=255))
