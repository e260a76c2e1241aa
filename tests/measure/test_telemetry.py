"""Telemetry, with a fake driver whose counters a test sets."""

from types import SimpleNamespace

import pytest

from bench.measure import telemetry
from bench.measure.telemetry import HostTelemetry, NvmlTelemetry
from bench.records import models
from bench.records.columns import columns

CLOCK_COUNTERS = ("sw_power_cap_s", "sw_thermal_s", "hw_thermal_s", "hw_power_brake_s")


class FakeNvml:
    """A card whose counters a test sets; anything else is not supported."""

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


def test_what_a_card_does_not_support_is_unknown_and_not_zero():
    values = NvmlTelemetry(FakeNvml(), None).end()
    assert {name for name, value in values.items() if value is not None} == set()


def test_power_is_in_watts():
    assert NvmlTelemetry(FakeNvml(nvmlDeviceGetPowerUsage=412_000), None).end()["power_w"] == 412.0


def test_clocks_are_in_hertz():
    nvml = FakeNvml()
    nvml.values["nvmlDeviceGetClockInfo", nvml.NVML_CLOCK_SM] = 1980
    assert NvmlTelemetry(nvml, None).end()["sm_clock_hz"] == 1.98e9


@pytest.mark.parametrize(("seconds", "joules"), [(2.0, 600.0), (0.5, None)])
def test_energy_is_only_reported_over_at_least_a_second(monkeypatch, seconds, joules):
    monkeypatch.setattr(telemetry, "perf_counter", Clock(0.0, seconds))
    nvml = FakeNvml(nvmlDeviceGetTotalEnergyConsumption=1_000_000)
    watch = NvmlTelemetry(nvml, None)
    nvml.values["nvmlDeviceGetTotalEnergyConsumption"] = 1_600_000
    assert watch.end()["energy_j"] == joules


@pytest.mark.parametrize(("reasons", "cause"), [(0x08, "hardware slow-down"), (0x80 | 0x04, "hardware power brake")])
def test_hardware_throttling_rejects_a_sample(reasons, cause):
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetCurrentClocksEventReasons=reasons), None)
    assert watch.rejected() == cause


def test_a_software_power_cap_does_not_reject_a_sample():
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetCurrentClocksEventReasons=0x04), None)
    assert watch.rejected() is None


@pytest.mark.parametrize(
    ("reasons", "names"),
    [(0x04, ["software power cap"]), (0x88, ["hardware slow-down", "hardware power brake"]), (0, [])],
)
def test_all_reasons_for_lower_clocks_are_reported(reasons, names):
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetCurrentClocksEventReasons=reasons), None)
    watch.rejected()
    assert watch.end()["clock_events"] == names


POWER_CAP = 74
OF_NVML_12, OF_NVML_13 = (251, 252, 253), (269, 270, 271)


def card_with(*numbers):
    """Return a card with these counters at zero."""
    nvml = FakeNvml()
    nvml.counters = dict.fromkeys((POWER_CAP, *numbers), 0)
    return nvml


@pytest.mark.parametrize("numbers", [OF_NVML_12, OF_NVML_13])
@pytest.mark.parametrize(("counter", "cause"), [(1, "hardware thermal slow-down"), (2, "hardware power brake")])
def test_a_hardware_counter_that_grew_rejects_the_sample_even_if_the_card_is_idle_again(numbers, counter, cause):
    nvml = card_with(*numbers)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters[numbers[counter]] += 5_000_000
    assert watch.rejected() == cause


def test_a_hardware_counter_that_grew_rejects_only_one_sample():
    nvml = card_with(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters[OF_NVML_13[1]] += 5_000_000
    watch.rejected()
    assert watch.rejected() is None


def test_software_counters_do_not_reject_a_sample():
    nvml = card_with(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters |= {POWER_CAP: 9_000_000, OF_NVML_13[0]: 9_000_000}
    assert watch.rejected() is None


def test_throttling_before_the_samples_does_not_count():
    nvml = card_with(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters[OF_NVML_13[1]] += 5_000_000
    watch.begin()
    assert watch.rejected() is None
    assert watch.end()["hw_thermal_s"] == 0


def test_the_growth_of_each_counter_is_reported_in_seconds():
    nvml = card_with(*OF_NVML_13)
    watch = NvmlTelemetry(nvml, None)
    nvml.counters |= {POWER_CAP: 3_000_000_000, OF_NVML_13[1]: 500_000_000}
    values = watch.end()
    assert [values[name] for name in CLOCK_COUNTERS] == [3.0, 0.0, 0.5, 0.0]


def test_settings_with_the_numbers_of_counters_are_not_mistaken_for_counters():
    nvml = card_with()
    nvml.settings = dict.fromkeys(OF_NVML_13, 1)
    assert set(NvmlTelemetry(nvml, None).end()) & {"sw_power_cap_s", "hw_thermal_s"} == {"sw_power_cap_s"}


def test_counters_with_both_numberings_are_unknown():
    assert "hw_thermal_s" not in NvmlTelemetry(card_with(*OF_NVML_12, *OF_NVML_13), None).end()


@pytest.mark.parametrize("counters", [OF_NVML_12, OF_NVML_13], ids=["12", "13"])
def test_every_counter_is_a_column(counters):
    found = NvmlTelemetry(card_with(*counters), None).end()
    assert found.keys() <= {column.name for column in columns(models.Telemetry)}


@pytest.mark.parametrize(("listed", "others"), [(2, 1), (1, 0), (0, None)])
def test_one_of_the_processes_on_the_card_is_this_one_whatever_its_id(listed, others):
    running = [SimpleNamespace(pid=1_000_000 + index) for index in range(listed)]
    values = NvmlTelemetry(FakeNvml(nvmlDeviceGetComputeRunningProcesses=running), None).end()
    assert values["other_processes"] == others


def test_the_load_of_others_does_not_include_this_process(monkeypatch):
    monkeypatch.setattr(telemetry, "perf_counter", Clock(0.0, 10.0))
    monkeypatch.setattr(telemetry, "_busy_s", Clock(100.0, 115.0))
    monkeypatch.setattr(telemetry, "_own_s", Clock(1.0, 10.0))
    assert HostTelemetry().end() == {"others_busy_cores": pytest.approx(0.6), "own_cpu_share": pytest.approx(0.9)}


def test_a_host_never_rejects_a_sample():
    assert HostTelemetry().rejected() is None


def watch_card():
    """Return the telemetry of the real card; skip a test where NVML does not know it."""
    watch = telemetry.open_telemetry("cuda")
    if not isinstance(watch, NvmlTelemetry):
        pytest.skip("NVML does not know this card, as with ROCm, WSL, some MIG slices, or without nvidia-ml-py")
    return watch


def reported(watch, *names):
    """Return what a card reports under these names; skip a test where it does not have them all."""
    values = watch.end()
    if missing := [name for name in names if values.get(name) is None]:
        pytest.skip(f"the driver does not report {', '.join(missing)} of this card")
    return [values[name] for name in names]


def test_a_card_that_nvml_does_not_know_is_a_reason_to_skip(monkeypatch):
    monkeypatch.setattr(telemetry, "open_nvml", lambda: None)
    with pytest.raises(pytest.skip.Exception, match="NVML does not know"):
        watch_card()


def test_what_a_card_does_not_report_is_a_reason_to_skip():
    watch = NvmlTelemetry(FakeNvml(nvmlDeviceGetTemperature=40), handle=0)
    with pytest.raises(pytest.skip.Exception, match="does not report sm_clock_hz, sw_power_cap_s of"):
        reported(watch, "sm_clock_hz", "sw_power_cap_s")


@pytest.mark.gpu
def test_a_real_card_reports_its_clock():
    (clock_hz,) = reported(watch_card(), "sm_clock_hz")
    assert clock_hz > 1e8


@pytest.mark.gpu
def test_a_real_card_reports_its_temperature():
    (temperature_c,) = reported(watch_card(), "temperature_c")
    assert 10 < temperature_c < 110


@pytest.mark.gpu
@pytest.mark.parametrize("counter", CLOCK_COUNTERS)
def test_a_counter_of_a_real_card_does_not_run_backward(counter):
    (seconds,) = reported(watch_card(), counter)
    assert seconds >= 0
