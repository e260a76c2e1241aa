"""Look at the machine from a worker process: which device it has, what it is called, which versions are installed."""

import importlib.metadata
import json
import os
import platform
import sys
from typing import Any

from bench.measure import nvml
from bench.records.cards import hiding
from bench.records.torch_builds import SIBLINGS, Host, remedy

HUB_TIMEOUT_S = 5.0
"""Long enough for a slow connection, short enough for a machine that has none."""
SERVER_ERROR = 500
"""From this HTTP status on it is the hub that has a problem."""
COMMIT_DIGITS = 12
"""Enough of a commit's hash to identify it."""

LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "triton",
    "xformers",
    "torchao",
    *SIBLINGS,
)


class NoSuchDeviceError(Exception):
    """The requested device is not on this machine."""


class WrongBuildError(Exception):
    """This build of torch is not for the driver or the card; the message says what to do."""


def machine(device: str) -> dict[str, Any]:
    """Return the facts of the machine that only torch knows; allocates on the device, to be sure that it works.

    Args:
        device: a torch device type, or `auto` for the accelerator if there is one and `cpu` otherwise.

    Raises:
        NoSuchDeviceError: there is no such device here.
    """
    kind = _choose(device)
    _try(kind)
    versions = {name: version for name in LIBRARIES if (version := _version(name)) is not None}
    return {"python": platform.python_version(), **versions, "torch_build": _build(), **_device(kind)}


def hub_answers() -> bool:
    """Return whether the hub can be reached now; if HF_HUB_OFFLINE is set, False without trying."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        return bool(get_session().head(constants.ENDPOINT, timeout=HUB_TIMEOUT_S).status_code < SERVER_ERROR)
    except Exception:  # noqa: BLE001 - whatever a proxy, a firewall or a resolver raises, the answer is no
        return False


def _choose(device: str) -> str:
    import torch

    found = torch.accelerator.current_accelerator(check_available=True)
    if device == "auto":
        return found.type if found is not None else "cpu"
    if device != "cpu" and (found is None or found.type != device):
        there = f"{found.type} and cpu are" if found is not None else "only cpu is"
        raise NoSuchDeviceError(f"there is no {device} device here; {there}{_cpu_build(device)}{_hidden(device)}")
    return device


def _cpu_build(device: str) -> str:
    """Return what to add if torch is a CPU build on a machine with a driver for CUDA; otherwise nothing."""
    import torch

    if device != "cuda" or _build() != "cpu" or _driver() is None:
        return ""
    return f", because torch {torch.__version__} is a CPU build; {_remedy(_host())}"


def _hidden(device: str) -> str:
    """Return what to add if a variable hides every card from this build of torch; otherwise nothing."""
    build = _build()
    hidden_by = hiding(os.environ, build)
    return (
        f", because {hidden_by} hides every card; unset it" if device == "cuda" and build != "cpu" and hidden_by else ""
    )


def _try(kind: str) -> None:
    """Compute on the device; raise `WrongBuildError` with what to do if this build of torch is not for the GPU."""
    import torch

    try:
        torch.zeros(1, device=kind).add_(1).cpu()
    except RuntimeError as error:
        host, cuda = _host(), torch.version.cuda
        if kind != "cuda" or cuda is None or host.obstacle(cuda) is None:
            raise
        what = str(error).partition(". ")[0].partition("\n")[0]
        raise WrongBuildError(f"{what}; torch {torch.__version__} is built for CUDA {cuda}; {_remedy(host)}") from error


def _remedy(host: Host) -> str:
    import torch

    siblings = [name for name in SIBLINGS if _version(name) is not None]
    return remedy(host, torch.__version__, sys.executable, siblings)


def _host() -> Host:
    """Return the driver and, if torch gets as far as that, the card's compute capability."""
    import torch

    try:
        capability = torch.cuda.get_device_capability(0)
    except (AssertionError, RuntimeError):  # of a CPU build; of a driver that is too old
        capability = None
    return Host(platform.machine(), _driver(), capability)


def _build() -> str:
    """Return what torch was built for: `cuda 13.0`, `rocm 7.0`, or the kind of accelerator; `cpu` for none."""
    import torch

    for kind, version in (("cuda", torch.version.cuda), ("rocm", torch.version.hip)):
        if version is not None:
            return f"{kind} {version}"
    built_for = torch.accelerator.current_accelerator()
    return built_for.type if built_for is not None else "cpu"


def _device(kind: str) -> dict[str, Any]:
    import torch

    if kind == "xpu":
        return {"device": kind, "device_name": torch.xpu.get_device_name(0)}
    if kind != "cuda":  # mps has the name of its chip, which is also that of the CPU
        from bench.records.environment import cpu_name

        return {"device": kind, "device_name": cpu_name()}
    properties = torch.cuda.get_device_properties(0)
    uuid = getattr(properties, "uuid", None)  # since torch 2.4, of NVIDIA's cards
    cudnn = torch.backends.cudnn.version()  # an integer, such as 91900
    return {
        "device": kind,
        "device_name": properties.name,
        **({} if uuid is None or torch.version.hip is not None else {"device_uuid": f"GPU-{uuid}"}),
        "device_memory_bytes": properties.total_memory,
        "device_count": torch.cuda.device_count(),
        "compute_capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "driver": _driver(),
        "cuda": torch.version.cuda or torch.version.hip,
        "cudnn": None if cudnn is None else str(cudnn),
    }


def _driver() -> str | None:
    """Return the version of NVIDIA's driver; None if NVML does not know (ROCm) or nvidia-ml-py is not installed."""
    with nvml.opened() as library:
        return None if library is None else nvml.text(nvml.read(library, "nvmlSystemGetDriverVersion"))


def _version(library: str) -> str | None:
    """Return a library's version, with the commit that it was installed from if pip recorded one (PEP 610)."""
    try:
        installed = importlib.metadata.distribution(library)
    except importlib.metadata.PackageNotFoundError:
        return None
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    commit = origin.get("vcs_info", {}).get("commit_id")
    return f"{installed.version} ({commit[:COMMIT_DIGITS]})" if commit else installed.version
