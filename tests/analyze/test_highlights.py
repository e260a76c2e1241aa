"""The few lines at the top of a report."""

import pytest
from analyze.make import result

from bench.analyze.highlights import NoGain, fastest, no_gain, statuses, warnings
from bench.records.outcomes import Remark, RemarkKind, Status

BASELINE = result(baseline="baseline", speedup=1.0)


def compared(name, speedup, **columns):
    """Return a result that was compared with the baseline and makes its image."""
    same = {"baseline": "baseline", "expected_image": "same-image", "psnr_db": 40.0}
    return result(name, speedup=speedup, **same | columns)


def names(found):
    return [each.case for each in found]


def test_the_fastest_case_is_named():
    assert names(fastest([BASELINE, compared("a", 1.3), compared("b", 2.0), compared("c", 1.5)])) == ["b"]


def test_the_fastest_that_makes_another_image_is_named_separately():
    other = compared("b", 2.0, expected_image="another-image", psnr_db=9.0)
    assert names(fastest([BASELINE, other, compared("a", 1.3)])) == ["a", "b"]


def test_each_scenario_has_its_own_fastest():
    assert names(fastest([compared("a", 2.0), compared("b", 1.3, scenario="sdxl")])) == ["a", "b"]


@pytest.mark.parametrize(
    "case",
    [
        compared("slower", 0.7),
        compared("within the margin of one process", 1.03),
        compared("its interval contains 1", 1.1, speedup_low=0.98, speedup_high=1.25),
        compared("broken image", 20.0, psnr_db=9.0),
        compared("unstable", 2.0, status="unstable"),
        compared("baseline", 2.0),
        compared("not compared", None),
    ],
    ids=lambda case: case.case,
)
def test_what_does_not_show_a_gain_is_not_named(case):
    assert fastest([case]) == []


@pytest.mark.parametrize(
    ("cases", "why"),
    [
        ([BASELINE], NoGain.NOTHING_COMPARED),
        ([BASELINE, compared("a", 0.9)], NoGain.NONE_FASTER),
        ([BASELINE, compared("a", 1.03)], NoGain.NOT_SHOWN),
    ],
)
def test_it_is_known_why_there_is_no_gain(cases, why):
    assert no_gain(cases) is why


def test_endings_are_counted():
    assert statuses([result("a", status="oom"), BASELINE, result("b", status="oom")]) == {Status.OK: 1, Status.OOM: 2}


def test_a_case_without_figures_is_a_warning_with_its_reason():
    (found,) = warnings([result(status="oom", reason="CUDA out of memory")])
    assert found.kind is Status.OOM
    assert found.details == {"CUDA out of memory": ["sd/baseline"]}


def test_remarks_of_one_kind_are_one_warning():
    (found,) = warnings([result("a", remarks="host-bound:0.5"), result("b", remarks="host-bound:0.7")])
    assert found.details == {
        Remark(RemarkKind.HOST_BOUND, 0.5): ["sd/a"],
        Remark(RemarkKind.HOST_BOUND, 0.7): ["sd/b"],
    }


def test_cases_with_a_warning_are_counted_once():
    (found,) = warnings([result("a", remarks="idle(tf32); idle(vae_slicing)")])
    assert found.cases == 1


def test_remarks_of_two_kinds_are_two_warnings():
    found = warnings([result("a", remarks="host-bound:0.5; never-warm")])
    assert [each.kind for each in found] == [RemarkKind.HOST_BOUND, RemarkKind.NEVER_WARM]


def test_a_case_that_ended_well_without_remarks_is_not_a_warning():
    assert warnings([BASELINE]) == []
