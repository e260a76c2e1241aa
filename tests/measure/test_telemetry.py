import os
from types import SimpleNamespace

import pytest

from bench.measure import telemetry
from bench.measure.telemetry import HostTelemetry, NvmlTelemetry


class FakeNvml:
    """A card whose counters a test sets; what it does not set, the driver does not tell."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0

    class NVMLError(Exception):
        pass

    def __init__(self, **values):
        self.values = values

    def __getattr__(self, function):
        def answer(_handle, *arguments):
            key = (function, *arguments) if arguments else function
            if key not in self.values:
                raise self.NVMLError("not supported")
            return self.values[key]

        return answer


class Clock:
    def __init__(self, *times):
        self.times = iter(times)

    def __call__(self):
        return next(self.times)


def test_a_card_that_tells_nothing_is_unknown_not_zero():
    told = NvmlTelemetry(FakeNvml(), None).end()
    assert {name for name, value in told.items() if value is not None} == {"clock_events"}


def test_clocks_and_power_are_in_si_units():
    nvml = FakeNvml(nvmlDeviceGetPowerUsage=412_000)
    nvml.values["nvmlDeviceGetClockInfo", nvml.NVML_CLOCK_SM] = 1980
    told = NvmlTelemetry(nvml, None).end()
    assert (told["power_w"], told["sm_clock_hz"]) == (412.0, 1.98e9)


@pytest.mark.parametrize(("seconds", "joules"), [(2.0, 600.0), (0.5, None)])
def test_energy_is_told_over_a_second_and_no_less(monkeypatch, seconds, joules):
    monkeypatch.setattr(telemetry, "perf_counter", Clock(0.0, seconds))
    nvml = FakeNvml(nvmlDeviceGetTotalEnergyConsumption=1_000_000)
    watch = NvmlTelemetry(nvml, None)
    nvml.values["nvmlDeviceGetTotalEnergyConsumption"] = 1_600_000
    assert watch.end()["energy_j"] == joules


@pytest.mark.parametrize(("reasons", "cause"), [(0x08, "hardware slow-down"), (0x80 | 0x04, "hardware power brake")])
def test_hardware_throttling_spoils_a_sample_and_is_named(reasons, cause):
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetCurrentClocksEventReasons=reasons), None)
    assert watch.spoiled() == cause


def test_software_power_capping_is_reported_and_spoils_nothing():
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetCurrentClocksEventReasons=0x04), None)
    assert (watch.spoiled(), watch.end()["clock_events"]) == (None, "software power cap")


def test_this_process_is_not_another_one_on_the_card():
    running = [SimpleNamespace(pid=os.getpid()), SimpleNamespace(pid=1)]
    assert NvmlTelemetry(FakeNvml(nvmlDeviceGetComputeRunningProcesses=running), None).end()["other_processes"] == 1


def test_the_load_of_others_leaves_this_process_out(monkeypatch):
    monkeypatch.setattr(telemetry, "perf_counter", Clock(0.0, 10.0))
    monkeypatch.setattr(telemetry, "_busy_s", Clock(100.0, 115.0))
    monkeypatch.setattr(telemetry, "_own_s", Clock(1.0, 10.0))
    assert HostTelemetry().end() == {"others_busy_cores": pytest.approx(0.6), "own_cpu_share": pytest.approx(0.9)}


def test_a_host_tells_of_no_spoiled_sample():
    assert HostTelemetry().spoiled() is None


@pytest.mark.gpu
def test_a_real_card_tells_its_clock_and_temperature():
    told = telemetry.open_telemetry("cuda").end()
    assert told["sm_clock_hz"] > 1e8
    assert 10 < told["temperature_c"] < 110
