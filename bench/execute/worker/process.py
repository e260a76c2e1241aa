"""How a fork server and a worker begin: make sure that they end with their parent, and import what cases need."""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): sets the signal that this process gets when its parent dies."""


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, in whatever way."""
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)


def import_libraries() -> None:
    """Import what every case needs, so that forked children already have it. None of it touches a GPU driver."""
    import accelerate  # noqa: F401
    import diffusers
    import transformers

    for name in ("StableDiffusionPipeline", "StableDiffusionXLPipeline", "AutoencoderTiny", "PNDMScheduler"):
        getattr(diffusers, name)  # diffusers imports a module when one of its names is first used
    for name in ("CLIPTextModel", "CLIPTextModelWithProjection", "CLIPTokenizer"):
        getattr(transformers, name)
