from types import SimpleNamespace

import pytest

from bench.measure import telemetry, throttling
from bench.measure.telemetry import HostTelemetry, NvmlTelemetry
from bench.records import schema


class FakeNvml:
    """A card whose counters a test sets; what it does not set, the driver does not tell."""

    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    NVML_SUCCESS, NOT_SUPPORTED = 0, 3
    NVML_VALUE_TYPE_UNSIGNED_INT, NVML_VALUE_TYPE_UNSIGNED_LONG_LONG = 1, 3

    class NVMLError(Exception):
        pass

    def __init__(self, **values):
        self.values = values
        self.counters = {}
        self.settings = {}

    def nvmlDeviceGetFieldValues(self, _handle, ids):  # noqa: N802 - the driver's own name
        if not self.counters:
            raise self.NVMLError("not supported")
        return [self.field(number) for number in ids]

    def field(self, number):
        counts = number in self.counters
        known = counts or number in self.settings
        return SimpleNamespace(
            nvmlReturn=self.NVML_SUCCESS if known else self.NOT_SUPPORTED,
            valueType=self.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG if counts else self.NVML_VALUE_TYPE_UNSIGNED_INT,
            value=SimpleNamespace(ullVal=self.counters.get(number, self.settings.get(number, 0))),
        )

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
    assert {name for name, value in told.items() if value is not None} == set()


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
    assert watch.rejected() == cause


def test_software_power_capping_is_reported_and_spoils_nothing():
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetCurrentClocksEventReasons=0x04), None)
    assert (watch.rejected(), watch.end()["clock_events"]) == (None, "software power cap")


POWER_CAP = 74
OF_NVML_12, OF_NVML_13 = (251, 252, 253), (269, 270, 271)


def counting(*numbers):
    """Return a card with these counters at zero."""
    nvml = FakeNvml()
    nvml.counters = dict.fromkeys((POWER_CAP, *numbers), 0)
    return nvml


@pytest.mark.parametrize("numbers", [OF_NVML_12, OF_NVML_13])
@pytest.mark.parametrize(("counter", "cause"), [(1, "hardware thermal slow-down"), (2, "hardware power brake")])
def test_a_hardware_counter_that_grew_spoils_the_sample_also_when_the_card_idles_again(numbers, counter, cause):
    nvml = counting(*numbers)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters[numbers[counter]] += 5_000_000
    assert (watch.rejected(), watch.rejected()) == (cause, None)


def test_software_counters_spoil_nothing():
    nvml = counting(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters |= {POWER_CAP: 9_000_000, OF_NVML_13[0]: 9_000_000}
    assert watch.rejected() is None


def test_what_was_counted_before_the_samples_spoils_none_and_is_not_told():
    nvml = counting(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters[OF_NVML_13[1]] += 5_000_000
    watch.begin()
    assert (watch.rejected(), watch.end()["hw_thermal_s"]) == (None, 0)


def test_the_growth_of_each_counter_is_told_in_seconds():
    nvml = counting(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters |= {POWER_CAP: 3_000_000_000, OF_NVML_13[1]: 500_000_000}
    told = watch.end()
    names = ("sw_power_cap_s", "sw_thermal_s", "hw_thermal_s", "hw_power_brake_s")
    assert [told[name] for name in names] == [3.0, 0.0, 0.5, 0.0]


def test_settings_under_the_numbers_of_counters_are_not_taken_for_counters():
    nvml = counting()
    nvml.settings = dict.fromkeys(OF_NVML_13, 1)
    assert set(NvmlTelemetry(nvml, None).end()) & {"sw_power_cap_s", "hw_thermal_s"} == {"sw_power_cap_s"}


def test_counters_under_both_numberings_are_unknown():
    assert "hw_thermal_s" not in NvmlTelemetry(counting(*OF_NVML_12, *OF_NVML_13), None).end()


def test_the_counters_are_columns():
    assert set(throttling.CAUSES) <= set(schema.names(schema.TELEMETRY))


@pytest.mark.parametrize(("listed", "others"), [(2, 1), (1, 0), (0, None)])
def test_one_of_the_processes_on_the_card_is_this_one_whatever_its_number(listed, others):
    running = [SimpleNamespace(pid=1_000_000 + index) for index in range(listed)]
    told = NvmlTelemetry(FakeNvml(nvmlDeviceGetComputeRunningProcesses=running), None).end()
    assert told["other_processes"] == others


def test_the_load_of_others_leaves_this_process_out(monkeypatch):
    monkeypatch.setattr(telemetry, "perf_counter", Clock(0.0, 10.0))
    monkeypatch.setattr(telemetry, "_busy_s", Clock(100.0, 115.0))
    monkeypatch.setattr(telemetry, "_own_s", Clock(1.0, 10.0))
    assert HostTelemetry().end() == {"others_busy_cores": pytest.approx(0.6), "own_cpu_share": pytest.approx(0.9)}


def test_a_host_tells_of_no_rejected_sample():
    assert HostTelemetry().rejected() is None


@pytest.mark.gpu
def test_a_real_card_tells_its_clock_and_temperature():
    told = telemetry.open_telemetry("cuda").end()
    assert told["sm_clock_hz"] > 1e8
    assert 10 < told["temperature_c"] < 110


@pytest.mark.gpu
def test_a_real_cards_counters_do_not_run_backwards():
    watch = telemetry.open_telemetry("cuda")
    assert all(seconds >= 0 for name, seconds in watch.end().items() if name in throttling.CAUSES)
