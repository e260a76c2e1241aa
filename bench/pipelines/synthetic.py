"""Pictures made from a seed: the same on every machine, and printed as they are in the code that `recommend` prints.

Each function stands alone, with its imports inside, because its source is what a user pastes.
"""

from collections.abc import Callable
from typing import Any


def photo_like(height: int, width: int, seed: int, frame: int = 0) -> object:
    """Return a picture whose spectrum falls with the frequency, as that of photographs does; frames drift sideways."""
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(seed).standard_normal((3, height, width))
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    falling = 1 / np.maximum(np.hypot(rows, columns), 1 / max(height, width))
    values = np.fft.irfft2(np.fft.rfft2(noise) * falling, s=(height, width))
    scaled = 128 + 48 * (values - values.mean()) / values.std()
    pixels = np.roll(scaled.clip(0, 255).round().astype(np.uint8), 4 * frame, axis=2)
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def noise(height: int, width: int, seed: int, frame: int = 0) -> object:
    """Return a picture of which every value is drawn by itself."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng([seed, frame])
    return Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))


def edges(height: int, width: int, seed: int, frame: int = 0) -> object:
    """Return white outlines on black, as an edge detector draws them; frames drift sideways."""
    import numpy as np
    from PIL import Image, ImageDraw

    generator, drawn = np.random.default_rng(seed), Image.new("RGB", (width, height))
    for _ in range(12):
        corners = generator.random((int(generator.integers(3, 7)), 2)) * [width, height]
        ImageDraw.Draw(drawn).polygon([(x + 4 * frame, y) for x, y in corners.tolist()], outline="white")
    return drawn


def mask(height: int, width: int, seed: int, frame: int = 0) -> object:
    """Return a white ellipse on black, about a fifth of the picture: what an inpainting pipeline is to replace."""
    import numpy as np
    from PIL import Image, ImageDraw

    drawn, (x, y) = Image.new("L", (width, height)), np.random.default_rng(seed).uniform(0.3, 0.7, 2).tolist()
    center, radius = (x * width + 4 * frame, y * height), (width / 4, height / 4)
    low, high = (
        [c - r for c, r in zip(center, radius, strict=True)],
        [c + r for c, r in zip(center, radius, strict=True)],
    )
    ImageDraw.Draw(drawn).ellipse((*low, *high), fill=255)
    return drawn


MAKERS: dict[str, Callable[..., Any]] = {"photo-like": photo_like, "noise": noise, "edges": edges, "mask": mask}
"""By the names that scenarios give them."""
