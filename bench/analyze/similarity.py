"""How close a case's pictures are to its baseline's, made from the same seeds.

A speed-up that breaks the image is not a speed-up. No number says that a picture is right: the thresholds are
conventions, each for another kind of fault. With random weights the pictures show nothing, so similarity is only
the numeric agreement of two computations. Settings that make another image by design (a scheduler, a model) are named,
and their images are not judged.
"""

import hashlib
import os
import struct
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import files
from bench.analyze.pixels import closeness, lowest_psnr
from bench.plan.case import Case
from bench.records.case_result import CaseResult, Similarity
from bench.records.outcomes import Expectation, Remark, RemarkKind

ALARM_DB = 30.0
"""A convention: below it a picture as a whole differs. Half precision with random weights keeps 46 dB."""
LOCAL_ALARM = 0.4
"""A window of 31 x 31 pixels differs below this SSIM. Even noise leaves a photograph's worst window at 0.93 (45 dB)
or 0.56 (35 dB), details that move by a pixel leave it at 0.69, and in a window that is wrong it is below 0.2."""
COLOR_ALARM = 2.3
"""Delta E of a just noticeable difference of two colors (Mahy et al. 1994); even noise of 30 dB stays below 1.3."""

BY_DESIGN = (
    "model",
    "pipeline",
    "vae",
    "components",
    "lora",
    "ip_adapter",
    "scheduler",
    "scheduler_config",
    "seed",
    "generator_device",
    "safety_checker",
)
APPROXIMATE = ("vae_tiling",)
"""Optimizations that are not exact: tiles are decoded separately and blended."""
LESS_PRECISE = ("tf32", "ieee_fp32", "autocast")
"""Optimizations that compute in another precision, as another dtype does."""
NOT_OF_THE_IMAGE = ("output_type",)
IMAGES = "images"
PNG_HEAD = struct.Struct(">16xII")
"""Signature and the beginning of the first chunk, then the size of the picture."""
MOST_BYTES_PER_PIXEL, MOST_OTHER_BYTES = 4, 256 * 1024
"""Uncompressed pixels with an alpha channel; a color profile, or what a painting program adds."""
MOST_PIXELS = 32 * 1024**2
"""Pixels of a case's pictures together, 96 MiB as bytes: eight of 2048 x 2048. A small file can claim any number."""


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
) -> tuple[Similarity, tuple[Remark, ...]]:
    """Return what the pictures of a result show, and a remark for each way in which they differ but should not.

    Args:
        folder: of the run.
        case: whose pictures are judged.
        result: of the case, with its `expectation`.
        base: the case that it is compared with, if any.
    """
    pictures = _pictures(folder, case.key) if result.status.measured else []
    if not pictures:
        return result.similarity, ()
    found = replace(result.similarity, image_sha256=hashlib.sha256(pictures[0].tobytes()).hexdigest())
    others = _pictures(folder, base.key) if base is not None and base.key != case.key else []
    if base is None or not _alike(pictures, others):
        return found, ()
    trained = result.settings.weights not in {None, "random"}
    metrics = closeness(pictures, others, perceptual=trained)
    found = replace(
        metrics, **{name: getattr(found, name) for name in ("expected_image", "changed_by", "image_sha256")}
    )
    added = sorted(set(case.optimizations) - set(base.optimizations))
    subject = next((name for name in added if name in APPROXIMATE), "")
    faults = alarms(found) if found.expected_image is Expectation.SAME else ()
    return found, tuple(replace(remark, subject=subject) for remark in faults)


def alarms(similarity: Similarity) -> tuple[Remark, ...]:
    """Return by which metrics a picture is not the one that it was compared with."""
    psnr, worst, shift = similarity.psnr_db, similarity.ssim_min, similarity.color_shift
    return (
        *([Remark(RemarkKind.IMAGE_DIFFERS, psnr)] if psnr is not None and psnr < ALARM_DB else []),
        *([Remark(RemarkKind.REGION_DIFFERS, worst)] if worst is not None and worst < LOCAL_ALARM else []),
        *([Remark(RemarkKind.COLOR_DIFFERS, shift)] if shift is not None and shift > COLOR_ALARM else []),
    )


def differs(similarity: Similarity) -> bool:
    """Say whether a picture that should be the baseline's differs from it, by any metric."""
    return similarity.expected_image is Expectation.SAME and bool(alarms(similarity))


def broken(case: Case, base: Case | None, similarity: Similarity) -> bool:
    """Say whether optimizations changed the picture of a case that must not, and that no other setting can have.

    Another dtype may: rounding grows over the steps, and nobody knows how much of the difference it explains.
    """
    if base is None or not differs(similarity) or (case.dtype, case.load) != (base.dtype, base.load):
        return False
    changed = set(case.optimizations) ^ set(base.optimizations)
    return bool(changed) and changed.isdisjoint((*APPROXIMATE, *LESS_PRECISE))


def another_image(result: CaseResult) -> bool:
    """Say whether a case is meant to make another image than its baseline."""
    return result.similarity.expected_image is Expectation.ANOTHER


def designed(case: Case, name: str) -> Any:
    """Return a setting of `BY_DESIGN` as far as it decides the image; fusing a LoRA only makes it faster."""
    value = getattr(case, name)
    return [{key: each[key] for key in each if key != "fused"} for each in value] if name == "lora" else value


def by_design(case: Case, base: Case) -> list[str]:
    """Return the settings in which two cases differ and that make another image."""
    settings = [name for name in BY_DESIGN if designed(case, name) != designed(base, name)]
    arguments = sorted({*case.call, *base.call} - set(NOT_OF_THE_IMAGE))
    return settings + [name for name in arguments if case.call.get(name) != base.call.get(name)]


def picture(folder: Path, scenario: str, case: str, index: int = 0) -> Path:
    """Return where a run keeps a picture of a case's first call; raise `InputError` if a link leads elsewhere."""
    return files.within(folder, IMAGES, scenario, f"{case}-{index}.png")


def psnr_between(folder: Path, key: str, base_folder: Path, base_key: str) -> float | None:
    """Return the lowest PSNR in dB between the pictures of two cases; None if they differ in number or size.

    The folders are of runs, the keys of cases in them.
    """
    pictures, others = _pictures(folder, key), _pictures(base_folder, base_key)
    return lowest_psnr(pictures, others) if _alike(pictures, others) else None


def similarity_between(folder: Path, key: str, base_key: str, *, shared: bool = False) -> Similarity:
    """Return how close the pictures of two cases of a run are; unknown if they differ in number or size.

    Args:
        folder: of the run.
        key: of the case.
        base_key: of the case that it is compared with.
        shared: whether only the pictures that both have are compared.
    """
    pictures, others = _pictures(folder, key), _pictures(folder, base_key)
    if shared:
        both = min(len(pictures), len(others))
        pictures, others = pictures[:both], others[:both]
    return closeness(pictures, others, perceptual=False) if _alike(pictures, others) else Similarity()


def _pictures(folder: Path, key: str) -> list[Any]:
    """Return a case's pictures as arrays of bytes, height x width x 3; none if one is damaged, or they are too many."""
    import numpy as np

    scenario, case = key.split("/", 1)
    found: list[Any] = []
    while (path := picture(folder, scenario, case, len(found))).is_file():
        image = open_picture(path)
        if image is None or (len(found) + 1) * image.width * image.height > MOST_PIXELS:
            return []
        found.append(np.asarray(image))
    return found


def open_picture(path: Path) -> Any:
    """Return a picture as a PIL image in RGB.

    None for a file that is damaged, as a kill or a full disk leaves it, and for one that would fill the memory.
    """
    from PIL import Image

    if _padded(path):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path)
        with image:
            return image.convert("RGB") if image.width * image.height <= MOST_PIXELS else None
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):  # PIL raises each of these
        return None


def _padded(path: Path) -> bool:
    """Return whether a PNG is larger than its pixels can be: what else it contains takes Pillow minutes to read."""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(PNG_HEAD.size)
        if len(head) == PNG_HEAD.size:
            width, height = PNG_HEAD.unpack(head)
            size: int = os.fstat(file.fileno()).st_size
            return bool(size > MOST_BYTES_PER_PIXEL * width * height + MOST_OTHER_BYTES)
    return False


def _alike(pictures: list[Any], others: list[Any]) -> bool:
    return bool(pictures) and [picture.shape for picture in pictures] == [other.shape for other in others]
