"""A module in place of NVIDIA's library, for a process of its own: one busy A100 and a driver for CUDA 12.4."""

NVML = """\
from types import SimpleNamespace

class NVMLError(Exception): pass

def nvmlInit(): pass
def nvmlShutdown(): pass
def nvmlSystemGetCudaDriverVersion(): return 12040
def nvmlSystemGetDriverVersion(): return "550.54.15"
def nvmlSystemGetProcessName(pid): return "python"
def nvmlDeviceGetCount(): return 1
def nvmlDeviceGetHandleByIndex(number): return number
def nvmlDeviceGetUUID(card): return "GPU-01"
def nvmlDeviceGetName(card): return "NVIDIA A100-SXM4-80GB"
def nvmlDeviceGetMemoryInfo(card): return SimpleNamespace(total=80 * 1024**3, used=60 * 1024**3)
def nvmlDeviceGetUtilizationRates(card): return SimpleNamespace(gpu=90)
def nvmlDeviceGetComputeRunningProcesses(card): return [SimpleNamespace(pid=1)]
def nvmlDeviceGetCudaComputeCapability(card): return (8, 0)
"""
