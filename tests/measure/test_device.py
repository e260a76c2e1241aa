"""The device under the clock."""

import pytest

from bench.measure.clock import timed
from bench.measure.device import Accelerator, Device, open_device


def test_the_cpu_has_no_second_clock():
    timing, _ = timed(Device(), lambda: None)
    assert timing.device_time_s is None


def test_the_cpu_is_not_an_accelerator():
    assert not isinstance(open_device("cpu"), Accelerator)


@pytest.mark.gpu
def test_the_latency_of_an_accelerator_includes_work_that_was_only_launched():
    import torch

    device = Accelerator(torch.device("cuda"))
    left = torch.randn(8192, 8192, device="cuda")
    timed(device, lambda: left @ left)  # the first product loads cuBLAS
    timing, _ = timed(device, lambda: [left @ left for _ in range(10)])
    assert timing.latency_s >= timing.device_time_s > 0.001
