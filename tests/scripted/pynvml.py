"""A machine with the cards that the variable SCRIPTED_CARDS lists in JSON: NVML for a process that a test starts.

SCRIPTED_DRIVER is the version of its driver.

It is found before the real one if this folder is in PYTHONPATH. What a card does not list is not supported.
"""

import json
import os
from types import SimpleNamespace

CARDS = json.loads(os.environ["SCRIPTED_CARDS"])
PROCESSES = [name for card in CARDS for part in (card, *card.get("slices", ())) for name in part.get("processes", ())]
NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0


class NVMLError(Exception):
    pass


def nvmlInit():  # noqa: N802 - the driver's own names, in this file
    if not CARDS:
        raise NVMLError("driver not loaded")


def nvmlShutdown():  # noqa: N802
    pass


def nvmlSystemGetDriverVersion():  # noqa: N802
    return os.environ.get("SCRIPTED_DRIVER", "580.65.06")


def nvmlSystemGetCudaDriverVersion():  # noqa: N802
    return 13000


def nvmlSystemGetProcessName(pid):  # noqa: N802
    return PROCESSES[pid]


def nvmlDeviceGetCount():  # noqa: N802
    return len(CARDS)


def nvmlDeviceGetHandleByIndex(number):  # noqa: N802
    return CARDS[number]


def nvmlDeviceGetUUID(card):  # noqa: N802
    return card["uuid"]


def nvmlDeviceGetName(card):  # noqa: N802
    return card["name"]


def nvmlDeviceGetMigMode(card):  # noqa: N802
    return [int("slices" in card)] * 2


def nvmlDeviceGetMaxMigDeviceCount(card):  # noqa: N802
    return len(card["slices"])


def nvmlDeviceGetMigDeviceHandleByIndex(card, number):  # noqa: N802
    return card["slices"][number]


def nvmlDeviceGetMemoryInfo(card):  # noqa: N802
    if "memory" not in card:
        raise NVMLError("not supported")
    return SimpleNamespace(total=card["memory"], used=card.get("used", 0))


def nvmlDeviceGetUtilizationRates(card):  # noqa: N802
    if "utilization" not in card:
        raise NVMLError("not supported")
    return SimpleNamespace(gpu=card["utilization"], memory=0)


def nvmlDeviceGetComputeRunningProcesses(card):  # noqa: N802
    return [SimpleNamespace(pid=PROCESSES.index(name)) for name in card.get("processes", ())]


def nvmlDeviceGetCudaComputeCapability(_card):  # noqa: N802
    return 9, 0
