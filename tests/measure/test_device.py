import pytest

from bench.measure.clock import timed
from bench.measure.device import Accelerator, HostDevice, open_device


def test_the_host_has_no_second_clock():
    timing, _ = timed(HostDevice(), lambda: None)
    assert timing.device_time_s is None


def test_the_cpu_is_the_host():
    assert isinstance(open_device("cpu"), HostDevice)


@pytest.mark.gpu
def test_an_accelerators_latency_covers_work_that_was_only_launched():
    import torch

    device = Accelerator(torch.device("cuda"))
    left = torch.randn(8192, 8192, device="cuda")
    timed(device, lambda: left @ left)  # the first product loads cuBLAS
    timing, _ = timed(device, lambda: [left @ left for _ in range(10)])
    assert timing.latency_s >= timing.device_time_s > 0.001
