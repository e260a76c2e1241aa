"""How two sets of pictures from the same seeds differ: the worst pair in each of several metrics.

A mean over a whole picture hides a face that is wrong, so the worst window is measured, too. Structure hides a color
cast, so the mean color is compared as well.
"""

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.records.case_result import Similarity

WINDOW = 31
"""Pixels of the window whose worst place counts. In one of 11, fine detail that moves by a pixel looks like a fault."""
_SMALLEST_SIDE = 7
"""Pixels of SSIM's window (Wang et al. 2004, as scikit-image computes it by default)."""
_ALEXNET = "alexnet-owt-7be5be79.pth"
"""torchvision's weights, as torch's hub cache names them."""


def closeness(pictures: list[Any], others: list[Any], *, perceptual: bool) -> Similarity:
    """Return the worst of each metric over pairs of pictures of equal sizes.

    Args:
        pictures: arrays of bytes, height x width x 3.
        others: as many, in the same sizes.
        perceptual: whether LPIPS is asked for, which means nothing where weights are random.
    """
    pairs = list(zip(pictures, others, strict=True))
    large = [pair for pair in pairs if min(pair[0].shape[:2]) >= _SMALLEST_SIDE]
    return Similarity(
        psnr_db=lowest_psnr(pictures, others),
        ssim=min((_ssim(*pair, _SMALLEST_SIDE)[0] for pair in large), default=None),
        ssim_min=min((_worst_window(*pair) for pair in large), default=None),
        color_shift=max(_color_shift(*pair) for pair in pairs),
        lpips=max(_lpips(*pair) for pair in pairs) if perceptual and lpips_weights() else None,
    )


def lowest_psnr(pictures: list[Any], others: list[Any]) -> float:
    """Return the lowest PSNR in dB; infinite for identical pictures."""
    return min(_psnr(one, other) for one, other in zip(pictures, others, strict=True))


def lpips_weights() -> Path | None:
    """Return AlexNet's weights in torch's hub cache; None if they or the package `lpips` are absent."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    home = Path(os.environ.get("TORCH_HOME", caches / "torch")).expanduser()
    found = home / "hub" / "checkpoints" / _ALEXNET
    return found if find_spec("lpips") is not None and found.is_file() else None


def _psnr(one: Any, other: Any) -> float:
    from skimage.metrics import peak_signal_noise_ratio

    return float("inf") if (one == other).all() else float(peak_signal_noise_ratio(one, other, data_range=255))


def _ssim(one: Any, other: Any, window: int) -> tuple[float, Any]:
    """Return the mean structural similarity, and that of the window around each pixel by color."""
    from skimage.metrics import structural_similarity

    mean, local = structural_similarity(one, other, channel_axis=2, data_range=255, win_size=window, full=True)
    return float(mean), local


def _worst_window(one: Any, other: Any) -> float:
    """Return the structural similarity of the window, whole within the picture, where it is lowest."""
    height, width = one.shape[:2]
    side = min(height, width)
    window = min(WINDOW, side - 1 + side % 2)
    _, local = _ssim(one, other, window)
    margin = window // 2
    return float(local[margin : height - margin, margin : width - margin].mean(axis=2).min())


def _color_shift(one: Any, other: Any) -> float:
    """Return the distance of the mean colors in CIE Lab (Delta E 1976)."""
    import numpy as np
    from skimage.color import rgb2lab

    mine, base = (rgb2lab(picture).mean(axis=(0, 1)) for picture in (one, other))
    return float(np.linalg.norm(mine - base))


def _lpips(one: Any, other: Any) -> float:
    """Return LPIPS with AlexNet (Zhang et al. 2018, arXiv:1801.03924): 0 for identical pictures."""
    import torch

    def tensor(picture: Any) -> Any:
        return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1

    with torch.no_grad():
        return float(_lpips_model()(tensor(one), tensor(other)))


@cache
def _lpips_model() -> Any:
    import warnings

    import lpips

    with warnings.catch_warnings():  # lpips calls torchvision as it was called in 2021
        warnings.simplefilter("ignore", UserWarning)
        return lpips.LPIPS(net="alex", verbose=False).eval()
