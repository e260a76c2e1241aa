"""What a run is expected to take, on a made-up clock and device."""

from dataclasses import replace

import pytest
from session.test_fitting import Clock, job
from support import ROOT

from bench.analyze.run import open_run
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.rehearsal import Work, rehearse
from bench.plan.case import Case
from bench.plan.load import choose, find, load
from bench.plan.order import Job, passes
from bench.plan.settings import RunSettings
from bench.plan.stored import read_plan
from bench.records.environment import Forecasted, Span
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status
from bench.session.forecast import Forecast, Pace, foresee

GPU, CPU = RunSettings("cuda", "full"), RunSettings("cpu", "full")
WORK = Work(convolutions=4e13, products=4e13, launches=1000, denoiser_calls=50, denoiser_parameters=1, parameters=1)
RATES = {"matrix_flops": {"float16": 4e14, "tf32": 2e14, "float32": 2e13}}
A100 = {"matrix_flops": {"float16": 312e12, "bfloat16": 312e12, "tf32": 156e12, "float32": 19.5e12}}


def case(**settings):
    return Case("s", "a", "stable-diffusion-v1-5", **settings)


def likely_s(settings=GPU, work=WORK, rates=RATES, **changed):
    one = case(**{"dtype": "float16", **changed})
    span = foresee([one], settings, {one.key: work}, rates).of(job(one))
    return span and span.likely_s


def record(status=Status.OK):
    return ProcessRecord("s", "a", 0, status)


def test_twice_the_operations_take_longer():
    assert likely_s(work=replace(WORK, products=12e13)) > likely_s()


def test_the_host_limits_a_call_of_many_small_operators():
    assert likely_s(work=replace(WORK, launches=10**6)) == likely_s(
        work=replace(WORK, launches=10**6, products=WORK.products / 2)
    )


def test_float32_takes_the_rate_of_tf32_for_convolutions_only():
    products = likely_s(dtype="float32", work=replace(WORK, convolutions=0))
    assert products > likely_s(dtype="float32", work=replace(WORK, products=0))


def test_tf32_takes_its_rate_for_products_too():
    assert likely_s(dtype="float32", optimizations=("tf32",)) < likely_s(dtype="float32")


def test_ieee_float32_takes_the_rate_of_float32_for_convolutions_too():
    assert likely_s(dtype="float32", optimizations=("ieee_fp32",)) > likely_s(dtype="float32")


def test_offloading_is_charged_by_what_it_moves():
    big = replace(WORK, denoiser_parameters=10**9, parameters=2 * 10**9)
    plain, model, sequential = (
        likely_s(work=big, optimizations=names) for names in ((), ("model_cpu_offload",), ("sequential_cpu_offload",))
    )
    assert plain < model < sequential


def test_fixed_samples_bound_the_range():
    assert likely_s(samples=6) < likely_s() < likely_s(samples=40)


def test_only_the_first_process_of_a_case_is_diagnosed():
    one = case(dtype="float16")
    forecast = foresee([one], GPU, {one.key: WORK}, RATES)
    assert forecast.of(job(one, 0)).likely_s > forecast.of(job(one, 1)).likely_s


def test_slow_calls_get_six_samples():
    slow = replace(WORK, products=4e13 * 200)
    assert likely_s(work=slow) < likely_s(work=slow, samples=10)


def test_without_the_rates_of_a_gpu_nothing_is_expected():
    assert likely_s(rates=None) is None


def test_a_tiny_model_needs_no_rates():
    assert likely_s(RunSettings("cpu", "tiny"), rates=None) > 0


def test_a_case_that_will_be_skipped_takes_next_to_nothing():
    assert likely_s(work=Work()) < 1


def test_unknown_cases_are_taken_to_be_like_the_others():
    known, unknown = case(), replace(case(), name="b")
    forecast = Forecast({known.key: Span(1, 2, 3)})
    jobs = [job(known), job(unknown)]
    assert forecast.total(jobs) == Span(2, 4, 6)
    assert forecast.unknown(jobs) == 1


def test_if_all_are_unknown_so_is_the_total():
    assert Forecast({}).total([job(case())]) is None


def paced(*names, clock, expected_s=10.0, **models):
    cases = [replace(case(), name=name, model=models.get(name, "m")) for name in names]
    jobs = [job(one) for one in cases]
    return Pace(Forecast({one.key: Span(5, expected_s, 20) for one in cases}), jobs, clock), jobs


def take(pace, one, clock, seconds, status=Status.OK):
    pace.begin()
    clock.now += seconds
    pace.end(one, record(status))


def test_what_a_process_took_corrects_the_others():
    clock = Clock()
    pace, jobs = paced("a", "b", "c", clock=clock)
    take(pace, jobs[0], clock, 20.0)
    assert pace.left_s() == 40.0


def test_a_slow_row_does_not_make_short_rows_as_long():
    clock = Clock()
    long, short = case(), replace(case(), name="b")
    pace = Pace(Forecast({long.key: Span(0, 100, 0), short.key: Span(0, 1, 0)}), [job(long), job(short)], clock)
    take(pace, job(long), clock, 100.0)
    assert pace.left_s() == 1.0


def test_rows_of_the_same_model_correct_first():
    clock = Clock()
    pace, jobs = paced("a", "b", "c", clock=clock, a="x", b="y", c="y")
    take(pace, jobs[0], clock, 30.0)
    take(pace, jobs[1], clock, 10.0)
    assert pace.left_s() == 10.0


def test_another_process_of_a_case_takes_what_the_first_one_took():
    clock = Clock()
    pace, jobs = paced("a", clock=clock)
    take(pace, jobs[0], clock, 7.0)
    assert pace.expected_s(replace(jobs[0], process=1)) == 7.0


def test_a_skipped_case_corrects_nothing():
    clock = Clock()
    pace, jobs = paced("a", "b", clock=clock)
    take(pace, jobs[0], clock, 0.1, Status.SKIPPED)
    assert pace.left_s() == 10.0


def test_the_time_that_the_running_process_has_taken_is_not_left():
    clock = Clock()
    pace, _ = paced("a", "b", clock=clock)
    pace.begin()
    clock.now += 4.0
    assert pace.left_s() == 16.0


def test_the_outcome_compares_what_was_measured_only():
    clock = Clock()
    pace, jobs = paced("a", "b", clock=clock)
    take(pace, jobs[0], clock, 12.0)
    assert pace.outcome() == Forecasted(1, Span(5, 10.0, 20), 12.0)


def test_nothing_measured_has_no_outcome():
    assert paced("a", clock=Clock())[0].outcome() is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in diffusers, of numpy
def test_all_shipped_scenarios_take_less_than_an_hour_on_an_a100():
    """By its peak rates, of which the forecast takes 0.45."""
    from bench.pipelines.diffusers_api import compatible_schedulers, vocabulary

    plan, _ = choose(load(find(()), vocabulary(), compatible_schedulers), ())
    forecast = foresee(plan.cases, GPU, {one.key: work_of(one) for one in plan.cases}, A100)
    jobs = passes(plan.cases, [0])
    assert forecast.unknown(jobs) == 0
    assert forecast.total(jobs).likely_s < 3600


@pytest.mark.parametrize("run", ["nvidia-h200", "amd-epyc"])
def test_the_published_processes_took_what_would_have_been_forecast(run):
    found = open_run(ROOT / "results" / "published" / run)
    _, settings = read_plan(found.folder / "plan.json")
    works = {one.key: work_of(one) for one in found.plan.cases}
    forecast = foresee(found.plan.cases, settings, works, found.environment["rates"])
    outside = [
        (record.key, record.process, record.timings.wall_s, span)
        for record in found.processes
        if (span := forecast.of(Job(found.cases[record.key], record.process)))
        and record.status.measured
        and not span.low_s <= record.timings.wall_s <= span.high_s
    ]
    total = sum((forecast.of(Job(found.cases[each.key], each.process)) for each in found.processes), Span())
    took_s = sum(each.timings.wall_s for each in found.processes)
    assert outside == []
    assert 0.75 < took_s / total.likely_s < 1.33


def work_of(one):
    try:
        return rehearse(one, "full")
    except UnsupportedError:
        return Work()
