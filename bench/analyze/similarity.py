"""How close a case's pictures are to its baseline's, made from the same seeds: PSNR and SSIM (scikit-image).

A speed-up that breaks the image is not a speed-up. With random weights the pictures show nothing, so similarity is only
the numeric agreement of two computations. Settings that make a different image by design (a scheduler, a model) are
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
"""Below 30 dB the naked eye sees a difference; half precision alone stays above."""

BY_DESIGN = ("model", "vae", "scheduler", "scheduler_config", "seed", "generator_device", "safety_checker")
APPROXIMATE = ("vae_tiling",)
"""Optimizations that are not exact: tiles are decoded separately and blended."""
NOT_OF_THE_IMAGE = ("output_type",)
IMAGES = "images"
_SMALLEST_SIDE = 7
"""Pixels of SSIM's window (Wang et al. 2004, as scikit-image computes it by default)."""


def expectation(case: Case, result: CaseResult, base: Case | None) -> Similarity:
    """Return which image a measured case should make; that is unknown without a baseline."""
    if not result.status.measured or base is None:
        return Similarity()
    if base.key == case.key:
        return Similarity(expected_image=Expectation.REFERENCE)
    designed = by_design(case, base)
    return Similarity(expected_image=Expectation.ANOTHER if designed else Expectation.SAME, changed_by=tuple(designed))


def compare_pictures(
    folder: Path, case: Case, result: CaseResult, base: Case | None
) -> tuple[Similarity, Remark | None]:
    """Return what the pictures of a result show, and a remark if they should agree with the baseline's but differ.

    Args:
        folder: of the run.
        case: whose pictures are judged.
        result: of the case, with its `expectation`.
        base: the case that it is compared with, if any.
    """
    pictures = _pictures(folder, case.key) if result.status.measured else []
    if not pictures:
        return result.similarity, None
    found = replace(result.similarity, image_sha256=hashlib.sha256(pictures[0].tobytes()).hexdigest())
    others = _pictures(folder, base.key) if base is not None and base.key != case.key else []
    if base is None or not _alike(pictures, others):
        return found, None
    found = replace(found, psnr_db=_lowest_psnr(pictures, others), ssim=_lowest_ssim(pictures, others))
    if not differs(found):
        return found, None
    added = sorted(set(case.optimizations) - set(base.optimizations))
    return found, Remark(RemarkKind.IMAGE_DIFFERS, found.psnr_db, next((n for n in added if n in APPROXIMATE), ""))


def differs(similarity: Similarity) -> bool:
    """Say whether a picture that should be the baseline's differs from it."""
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


def psnr_between(folder: Path, key: str, base_folder: Path, base_key: str) -> float | None:
    """Return the lowest PSNR in dB between the pictures of two cases; None if they differ in number or size.

    The folders are of runs, the keys of cases in them.
    """
    pictures, others = _pictures(folder, key), _pictures(base_folder, base_key)
    return _lowest_psnr(pictures, others) if _alike(pictures, others) else None


def psnr_of_shared(folder: Path, key: str, base_key: str) -> float | None:
    """Return the lowest PSNR in dB over the pictures that two cases of a run both have; None if they have none."""
    pictures, others = _pictures(folder, key), _pictures(folder, base_key)
    shared = min(len(pictures), len(others))
    pictures, others = pictures[:shared], others[:shared]
    return _lowest_psnr(pictures, others) if _alike(pictures, others) else None


def _pictures(folder: Path, key: str) -> list[Any]:
    """Return a case's pictures as arrays of bytes, height x width x 3; none if one is damaged."""
    import numpy as np

    scenario, case = key.split("/", 1)
    found: list[Any] = []
    while (path := picture(folder, scenario, case, len(found))).is_file():
        image = open_picture(path)
        if image is None:
            return []
        found.append(np.asarray(image))
    return found


def open_picture(path: Path) -> Any:
    """Return a picture as a PIL image in RGB; None for a damaged file, which a kill or a full disk leaves behind."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # PIL raises each of these
        return None


def _alike(pictures: list[Any], others: list[Any]) -> bool:
    """Say whether there are pictures, as many on both sides, in the same sizes."""
    return bool(pictures) and [picture.shape for picture in pictures] == [other.shape for other in others]


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
