"""One further call with torch's history of its allocator: what allocated which memory, and when it was freed.

The snapshot opens in https://pytorch.org/memory_viz.
"""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import files

MOST_EVENTS = 200_000
"""Allocations and frees with the Python code that made them, the last ones of the call; each takes about 1 KB."""
DEVICES = ("cuda", "xpu")
"""Those of which some supported torch keeps a history."""


def write_memory_trace(kind: str, call: Callable[[], Any], path: Path) -> None:
    """Make one call and write a snapshot of the allocator with the history of the call.

    Args:
        kind: torch device type, one of `DEVICES`.
        call: what is traced.
        path: of the snapshot, a pickle.

    Raises:
        AttributeError: this torch keeps no history for this device.
    """
    import torch

    memory: Any = getattr(torch, kind).memory
    memory._record_memory_history(stacks="python", max_entries=MOST_EVENTS)  # noqa: SLF001 - torch documents it
    try:
        call()
        snapshot = memory._snapshot()  # noqa: SLF001 - as above
    finally:
        memory._record_memory_history(enabled=None)  # noqa: SLF001 - as above
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, pickle.dumps(snapshot))
