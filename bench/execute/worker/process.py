"""What a process of ours does when it begins: see to it that it ends, and import what every case needs."""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal this process gets when its parent dies."""


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, however that happens."""
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died in between
        os._exit(1)


def import_libraries() -> None:
    """Import what every case needs, so that the children find it there. None of it touches a driver."""
    import accelerate  # noqa: F401
    import diffusers
    import transformers

    for name in ("StableDiffusionPipeline", "StableDiffusionXLPipeline", "AutoencoderTiny", "PNDMScheduler"):
        getattr(diffusers, name)  # diffusers imports its modules when a name is first asked for
    for name in ("CLIPTextModel", "CLIPTextModelWithProjection", "CLIPTokenizer"):
        getattr(transformers, name)
