"""Every optimization on pipelines of many kinds: it is skipped with a reason, or it draws the picture of none.

The classes stand for their kinds: two stages; processors of their own, with and without a way to replace them; video;
no autoencoder; three dimensions.
"""

from functools import cache

import numpy as np
import pytest
import zoo

from bench.pipelines import first_call
from bench.pipelines.build import build
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.optimizations import TABLE
from bench.plan.case import Case
from bench.plan.settings import RunSettings

pytestmark = pytest.mark.slow

KINDS = (
    "DDPMPipeline",
    "HunyuanDiTPipeline",
    "KandinskyV22CombinedPipeline",
    "PixArtSigmaPipeline",
    "StableDiffusion3Pipeline",
    "WanPipeline",
)
HERE = [name for name in TABLE if not name.startswith("compile")]
"""Those that need an accelerator are skipped on a CPU before anything is built; compiling takes minutes."""
LEAST_DB = 40.0
"""Half precision under autocast keeps 52 dB and the others 118 dB; a wrong attention processor left 26 dB."""


@pytest.fixture(scope="module")
def drawn(zoo_folder):
    """Return the pixels that a pipeline draws with an optimization, after a check that it is in effect."""

    @cache
    def pixels(name, *optimizations):
        call = {**zoo.ZOO[name].call, "output_type": "np"}
        case = Case("zoo", name, str(zoo_folder(name)), optimizations=optimizations, call=call)
        ready = build(case, "full", RunSettings("cpu", "full"))
        ready.seed()
        with first_call.watched(ready.pipeline) as seen:
            output = ready.first_call()
        ready.verify(seen)
        return np.asarray(output.frames if hasattr(output, "frames") else output.images, dtype=np.float64)

    return pixels


@pytest.mark.parametrize("optimization", HERE)
@pytest.mark.parametrize("name", KINDS)
def test_an_optimization_draws_the_same_picture_or_is_skipped(drawn, name, optimization):
    plain = drawn(name)
    try:
        optimized = drawn(name, optimization)
    except UnsupportedError:  # with a reason, of which the test below has examples
        optimized = plain
    assert -10 * np.log10(((optimized - plain) ** 2).mean() + 1e-20) > LEAST_DB


@pytest.mark.parametrize(
    ("name", "optimization", "reason"),
    [
        ("HunyuanDiTPipeline", "attention_sdpa", r"HunyuanDiT2DModel \(HunyuanAttnProcessor2_0\) cannot be replaced"),
        (
            "HunyuanDiTPipeline",
            "attention_vanilla",
            r"HunyuanDiT2DModel \(HunyuanAttnProcessor2_0\) cannot be replaced",
        ),
        ("KandinskyV22CombinedPipeline", "fuse_qkv", r"UNet2DConditionModel \(AttnAddedKVProcessor2_0\) cannot be"),
        ("KandinskyV22CombinedPipeline", "vae_slicing", "VQModel cannot slice a batch"),
        ("KandinskyV22CombinedPipeline", "compile", "calls its denoisers through pipelines of its own"),
        ("DDPMPipeline", "vae_tiling", "DDPMPipeline has no autoencoder"),
        ("WanPipeline", "channels_last", "the denoiser of WanPipeline has no two-dimensional convolution"),
    ],
)
def test_what_a_pipeline_cannot_take_is_skipped_with_the_reason(drawn, name, optimization, reason):
    with pytest.raises(UnsupportedError, match=reason):
        drawn(name, optimization)


@pytest.mark.parametrize("optimization", ["attention_vanilla", "channels_last"])
def test_kandinsky_takes_what_fits_its_processors(drawn, optimization):
    assert drawn("KandinskyV22CombinedPipeline", optimization).shape == (1, 32, 32, 3)
