"""How far a case's pictures are from its baseline's, drawn from the same seeds: PSNR and SSIM (scikit-image).

A speed-up whose image is broken is not a speed-up. With random weights the pictures show nothing, so this is numeric
agreement of two computations and no more. Settings that make another image by design (a scheduler, a model) are named
and not judged.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.plan.case import Case
from bench.records.schema import MEASURED

ALARM_DB = 30.0
"""Below 30 dB a difference is seen with the naked eye; half precision alone stays above it."""

BY_DESIGN = ("model", "vae", "scheduler", "scheduler_config", "seed", "generator_device", "safety_checker")
APPROXIMATE = {"vae_tiling": "for its tiles are decoded apart and blended"}
"""Optimizations that are no exact rewriting; look at the picture."""
NOT_OF_THE_IMAGE = ("output_type",)
IMAGES = "images"
SAME, NUMERIC = "the same image expected", " (random weights: numeric agreement only)"
ANOTHER = "another image by design"
_SMALLEST_SIDE = 7
"""Pixels of SSIM's window (Wang et al. 2004, as scikit-image computes it by default)."""


def similarity(folder: Path, case: Case, row: Mapping[str, Any], base: Case | None) -> dict[str, Any]:
    """Return the columns of `schema.SIMILARITY` of one case.

    Args:
        folder: of the run.
        case: whose pictures are judged.
        row: of the case.
        base: the case that it is compared with; None where there is none.
    """
    if row.get("status") not in MEASURED:
        return {}
    pictures = _pictures(folder, case.scenario, case.name)
    columns: dict[str, Any] = {"image_sha256": hashlib.sha256(pictures[0].tobytes()).hexdigest()} if pictures else {}
    if base is None or base.key == case.key:
        return columns
    designed = by_design(case, base)  # of the plan: what is meant to be another image is, with or without pictures
    columns["similarity"] = f"{ANOTHER}: {', '.join(designed)}" if designed else SAME
    others = _pictures(folder, base.scenario, base.name)
    if not pictures or [picture.shape for picture in pictures] != [other.shape for other in others]:
        return columns
    columns |= _worst(pictures, others)
    if row.get("weights") == "random":
        columns["similarity"] += NUMERIC
    if not designed and columns["psnr_db"] < ALARM_DB:
        columns["remarks"] = "; ".join(filter(None, [row.get("remarks"), _warning(columns["psnr_db"], case, base)]))
    return columns


def another_image(row: Mapping[str, Any]) -> bool:
    """Say whether a row is of a case that is meant to make another image than its baseline."""
    return str(row["similarity"] or "").startswith(ANOTHER)


def by_design(case: Case, base: Case) -> list[str]:
    """Return the settings in which two cases differ and that make another image."""
    settings = [name for name in BY_DESIGN if getattr(case, name) != getattr(base, name)]
    arguments = sorted({*case.call, *base.call} - set(NOT_OF_THE_IMAGE))
    return settings + [name for name in arguments if case.call.get(name) != base.call.get(name)]


def picture(folder: Path, scenario: str, case: str, index: int = 0) -> Path:
    """Return where a run keeps a picture of a case's first call."""
    return folder / IMAGES / scenario / f"{case}-{index}.png"


def similarity_between_runs(base: Path, new: Path, key: str) -> float | None:
    """Return the lowest PSNR in dB between two runs' pictures of one case; None where either has none, or another size.

    Args:
        base: the folder of a run.
        new: of another one.
        key: of the case, `scenario/case`.
    """
    pictures, others = (_pictures(folder, *key.split("/", 1)) for folder in (new, base))
    if not pictures or [picture.shape for picture in pictures] != [other.shape for other in others]:
        return None
    return min(_psnr(one, other) for one, other in zip(pictures, others, strict=True))


def shared_similarity(folder: Path, case: Case, base: Case) -> float | None:
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
    """Return a picture as a PIL image in RGB; None for a file that is damaged, as a kill or a full disk leaves one."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # PIL raises each of them for one
        return None


def _worst(pictures: list[Any], others: list[Any]) -> dict[str, Any]:
    """Return the lowest PSNR (dB; infinite for identical pictures) and the lowest SSIM of the pairs."""
    pairs = list(zip(pictures, others, strict=True))
    similar = [_ssim(one, other) for one, other in pairs if min(one.shape[:2]) >= _SMALLEST_SIDE]
    return {"psnr_db": min(_psnr(one, other) for one, other in pairs), "ssim": min(similar) if similar else None}


def _psnr(one: Any, other: Any) -> float:
    from skimage.metrics import peak_signal_noise_ratio

    return float("inf") if (one == other).all() else float(peak_signal_noise_ratio(one, other, data_range=255))


def _ssim(one: Any, other: Any) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(one, other, channel_axis=2, data_range=255))


def _warning(decibels: float, case: Case, base: Case) -> str:
    added = sorted(set(case.optimizations) - set(base.optimizations))
    why = next((APPROXIMATE[name] for name in added if name in APPROXIMATE), "although no setting explains it")
    return f"image differs: {decibels:.1f} dB from the baseline's, {why}"
