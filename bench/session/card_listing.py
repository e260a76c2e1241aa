"""List the machine's cards by NVML; as a program, print them as JSON. It imports little, because a run waits for it."""

import json
import sys
from dataclasses import asdict
from typing import Any

from bench.measure import nvml
from bench.records.cards import Card, Cards


def list_cards() -> Cards:
    """Return what NVML says of the machine's cards; it must not be asked by a process that forks workers."""
    with nvml.opened() as library:
        if library is None:
            return Cards()
        cuda = nvml.read(library, "nvmlSystemGetCudaDriverVersion")  # such as 12080
        return Cards(
            [card for number in range(nvml.read(library, "nvmlDeviceGetCount") or 0) for card in _of(library, number)],
            nvml.text(nvml.read(library, "nvmlSystemGetDriverVersion")),
            None if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}",
        )


def _of(library: Any, number: int) -> list[Card]:
    """Return a card, or its slices if it is divided; none if it has fallen off the bus."""
    handle = nvml.read(library, "nvmlDeviceGetHandleByIndex", number)
    uuid = None if handle is None else nvml.text(nvml.read(library, "nvmlDeviceGetUUID", handle))
    if uuid is None:
        return []
    mode = nvml.read(library, "nvmlDeviceGetMigMode", handle)
    if mode is None or not mode[0]:
        return [_card(library, handle, handle, number, uuid)]
    most = nvml.read(library, "nvmlDeviceGetMaxMigDeviceCount", handle) or 0
    slices = (nvml.read(library, "nvmlDeviceGetMigDeviceHandleByIndex", handle, each) for each in range(most))
    return [_card(library, part, handle, number, uuid) for part in slices if part is not None]


def _card(library: Any, handle: Any, whole: Any, number: int, card_uuid: str) -> Card:
    """Return a card or a slice; what the driver only knows of the whole card is asked there."""
    memory = nvml.read(library, "nvmlDeviceGetMemoryInfo", handle)
    rates = nvml.read(library, "nvmlDeviceGetUtilizationRates", handle)
    running = nvml.computing(library, handle)
    capability = nvml.read(library, "nvmlDeviceGetCudaComputeCapability", whole)
    return Card(
        number=number,
        uuid=nvml.text(nvml.read(library, "nvmlDeviceGetUUID", handle)) or card_uuid,
        card_uuid=card_uuid,
        name=nvml.text(nvml.read(library, "nvmlDeviceGetName", handle)) or "NVIDIA card of an unknown name",
        memory_bytes=None if memory is None else int(memory.total),
        memory_used_bytes=None if memory is None else int(memory.used),
        utilization=None if rates is None else rates.gpu / 100,
        processes=None if running is None else len(running),
        compute_capability=None if capability is None else ".".join(map(str, capability)),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(list_cards())))
