import pytest
from analyze.make import A100, H200, SOURCE, case, ended, make_results, measured

from bench.analyze.claims import same_device
from bench.records.case_result import Claim
from bench.records.outcomes import ClaimVerdict, JudgedBy, NotJudged

BASE = measured("baseline", 6.0)


def judge(tmp_path, claim, record, *, base_claim=None, base=BASE, device_name=H200, source=SOURCE, call=None):
    """Return the judged claim of the case `fp16`, beside a baseline that takes six seconds."""
    cases = [case("baseline", claim=base_claim or {}), case("fp16", claim=claim, call=call or {})]
    found = make_results(tmp_path / "run", cases, [base, record], device_name=device_name, source=source)
    return found["fp16"].claim


def judge_baseline(tmp_path, claim, device_name):
    cases = [case("baseline", claim=claim)]
    return make_results(tmp_path / "run", cases, [BASE], device_name=device_name)["baseline"].claim


def assert_judged(claim, judged_by, verdict, ratio=None):
    assert claim.judged_by is judged_by
    assert claim.verdict is verdict
    assert claim.not_judged is None
    assert claim.ratio == (pytest.approx(ratio) if ratio is not None else None)


def assert_not_judged(claim, why):
    assert claim.not_judged is why
    assert claim.verdict is ClaimVerdict.NOT_JUDGED
    assert claim.judged_by is None
    assert claim.ratio is None


@pytest.mark.parametrize(
    ("documented", "found"),
    [
        ("NVIDIA A100", "NVIDIA A100-SXM4-80GB"),
        ("NVIDIA A100", "NVIDIA A100 80GB PCIe"),
        ("NVIDIA A100", "NVIDIA A100-PCIE-40GB"),
        ("nvidia a100", "NVIDIA A100-SXM4-40GB"),
        ("A100", "NVIDIA A100-SXM4-40GB"),
        ("NVIDIA H100", "NVIDIA H100 80GB HBM3"),
        ("NVIDIA T4", "Tesla T4"),  # the driver's name of the card
        ("NVIDIA V100", "Tesla V100-SXM2-16GB"),
    ],
)
def test_a_card_is_known_by_the_name_that_its_driver_gives_it(documented, found):
    assert same_device(documented, found) is True


@pytest.mark.parametrize(
    ("documented", "found"),
    [
        ("NVIDIA A100", "NVIDIA H200"),
        ("NVIDIA A100", "NVIDIA A10"),
        ("NVIDIA A10", "NVIDIA A100-SXM4-80GB"),
        ("NVIDIA A10", "NVIDIA A10G"),
        ("NVIDIA T4", "NVIDIA T400"),
        ("NVIDIA A100", "AMD EPYC 7763 64-Core Processor"),
        ("NVIDIA GeForce RTX 3080", "NVIDIA GeForce RTX 3080 Ti"),
        ("NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 4090 Laptop GPU"),
        ("NVIDIA A100", "NVIDIA A100-SXM4-80GB MIG 1g.10gb"),  # a seventh of one
        (None, "NVIDIA A100-SXM4-80GB"),
        ("NVIDIA A100", None),
        ("", "NVIDIA A100-SXM4-80GB"),
    ],
)
def test_another_card_is_not_the_documented_one(documented, found):
    assert same_device(documented, found) is False


def test_seconds_are_judged_on_the_documented_gpu(tmp_path):
    claim = judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.2), device_name=A100)
    assert_judged(claim, JudgedBy.LATENCY, ClaimVerdict.AS_DOCUMENTED, 1.05)


def test_seconds_are_not_judged_on_another_gpu(tmp_path):
    assert_not_judged(judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.0)), NotJudged.OTHER_DEVICE)


def test_seconds_of_an_unnamed_gpu_are_not_judged(tmp_path):
    claim = judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.0), source={"document": "docs"})
    assert_not_judged(claim, NotJudged.OTHER_DEVICE)


def test_the_documented_gpu_judges_seconds_rather_than_the_speedup(tmp_path):
    claim = judge(tmp_path, {"latency_s": 4.0, "speedup": 1.5}, measured("fp16", 4.0), device_name=A100)
    assert claim.judged_by is JudgedBy.LATENCY


def test_another_gpu_judges_the_speedup(tmp_path):
    claim = judge(tmp_path, {"latency_s": 4.0, "speedup": 1.5}, measured("fp16", 4.0))
    assert_judged(claim, JudgedBy.SPEEDUP, ClaimVerdict.AS_DOCUMENTED, 1.0)


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [
        (3.59, ClaimVerdict.FASTER),
        (3.61, ClaimVerdict.AS_DOCUMENTED),
        (4.39, ClaimVerdict.AS_DOCUMENTED),
        (4.41, ClaimVerdict.SLOWER),
    ],
)
def test_seconds_are_as_documented_within_ten_per_cent(tmp_path, latency_s, verdict):
    assert judge(tmp_path, {"latency_s": 4.0}, measured("fp16", latency_s), device_name=A100).verdict is verdict


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [
        (2.7, ClaimVerdict.GAINS_MORE),
        (2.8, ClaimVerdict.AS_DOCUMENTED),
        (3.3, ClaimVerdict.AS_DOCUMENTED),
        (3.4, ClaimVerdict.GAINS_LESS),
    ],
)
def test_a_speedup_is_as_documented_within_ten_per_cent(tmp_path, latency_s, verdict):
    assert judge(tmp_path, {"speedup": 2.0}, measured("fp16", latency_s)).verdict is verdict


def test_less_than_half_of_a_small_documented_gain_is_not_as_documented(tmp_path):
    assert judge(tmp_path, {"speedup": 1.1}, measured("fp16", 5.8)).verdict is ClaimVerdict.GAINS_LESS


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [
        (2.9, ClaimVerdict.FASTER),
        (3.1, ClaimVerdict.AS_DOCUMENTED),
        (4.9, ClaimVerdict.AS_DOCUMENTED),
        (5.1, ClaimVerdict.SLOWER),
    ],
)
def test_an_approximate_figure_is_as_documented_within_a_quarter(tmp_path, latency_s, verdict):
    claim = {"latency_s": 4.0, "approximate": True}
    assert judge(tmp_path, claim, measured("fp16", latency_s), device_name=A100).verdict is verdict


def test_a_figure_of_several_calls_is_divided_by_them(tmp_path):
    claim = judge(tmp_path, {"latency_s": 12.0, "over_calls": 3}, measured("fp16", 4.0), device_name=A100)
    assert claim.latency_s == 4.0


def test_a_figure_of_several_calls_is_judged_by_one(tmp_path):
    claim = judge(tmp_path, {"latency_s": 12.0, "over_calls": 3}, measured("fp16", 4.0), device_name=A100)
    assert_judged(claim, JudgedBy.LATENCY, ClaimVerdict.AS_DOCUMENTED, 1.0)


def test_a_figure_of_a_batch_is_divided_by_its_images(tmp_path):
    call = {"num_images_per_prompt": 4}
    claim = judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.0, images=4), device_name=A100, call=call)
    assert claim.seconds_per_image == 1.0


def test_a_figure_of_one_image_is_compared_with_one_image(tmp_path):
    claim = judge(tmp_path, {"seconds_per_image": 1.0}, measured("fp16", 4.0, images=4), device_name=A100)
    assert_judged(claim, JudgedBy.LATENCY, ClaimVerdict.AS_DOCUMENTED, 1.0)


def test_a_speedup_that_is_not_stated_is_derived_from_two_documented_figures(tmp_path):
    claim = judge(tmp_path, {"latency_s": 2.5}, measured("fp16", 3.0), base_claim={"latency_s": 5.0})
    assert claim.speedup == 2.0


def test_a_derived_speedup_is_judged(tmp_path):
    claim = judge(tmp_path, {"latency_s": 2.5}, measured("fp16", 3.0), base_claim={"latency_s": 5.0})
    assert_judged(claim, JudgedBy.SPEEDUP, ClaimVerdict.AS_DOCUMENTED, 1.0)


def test_a_derived_speedup_is_of_one_image(tmp_path):
    call = {"num_images_per_prompt": 4}
    record = measured("fp16", 8.0, images=4)
    claim = judge(tmp_path, {"latency_s": 10.0}, record, base_claim={"latency_s": 5.0}, call=call)
    assert claim.speedup == 2.0


def test_a_stated_speedup_is_not_derived_again(tmp_path):
    claim = {"latency_s": 2.5, "speedup": 1.9}
    assert judge(tmp_path, claim, measured("fp16", 3.0), base_claim={"latency_s": 5.0}).speedup == 1.9


def test_nothing_is_derived_from_a_baseline_without_a_figure(tmp_path):
    assert judge(tmp_path, {"latency_s": 2.5}, measured("fp16", 3.0)).speedup is None


def test_a_reduced_latency_is_a_speedup(tmp_path):
    assert judge(tmp_path, {"latency_reduction": 0.5}, measured("fp16", 3.0)).speedup == 2.0


def test_a_claim_of_saved_parameters_is_kept(tmp_path):
    assert judge(tmp_path, {"parameter_reduction": 0.51}, measured("fp16", 3.0)).parameter_reduction == 0.51


def test_a_claim_of_saved_parameters_alone_has_no_figure_to_judge(tmp_path):
    claim = judge(tmp_path, {"parameter_reduction": 0.51}, measured("fp16", 3.0), device_name=A100)
    assert_not_judged(claim, NotJudged.NO_FIGURE)


@pytest.mark.parametrize("device_name", [A100, H200])
def test_the_baseline_is_not_judged_by_its_own_speedup_of_one(tmp_path, device_name):
    assert judge_baseline(tmp_path, {"speedup": 1.0}, device_name).judged_by is None


def test_the_seconds_of_the_baseline_are_judged_on_the_documented_gpu(tmp_path):
    claim = judge_baseline(tmp_path, {"latency_s": 6.0}, A100)
    assert_judged(claim, JudgedBy.LATENCY, ClaimVerdict.AS_DOCUMENTED, 1.0)


def test_the_seconds_of_the_baseline_are_not_judged_on_another_gpu(tmp_path):
    assert_not_judged(judge_baseline(tmp_path, {"latency_s": 6.0}, H200), NotJudged.OTHER_DEVICE)


@pytest.mark.parametrize(
    "claim", [{"latency_s": 4.0}, {"speedup": 1.5}, {"status": "oom"}, {"parameter_reduction": 0.5}]
)
def test_nothing_is_judged_by_a_tiny_model(tmp_path, claim):
    base, mine = (measured(name, 6.0, size="tiny") for name in ("baseline", "fp16"))
    assert_not_judged(judge(tmp_path, claim, mine, base=base, device_name=A100), NotJudged.TINY_MODEL)


@pytest.mark.parametrize("status", ["failed", "oom", "skipped", "timeout", "crashed", "interrupted"])
def test_a_figure_is_not_judged_by_a_case_that_was_not_measured(tmp_path, status):
    claim = judge(tmp_path, {"latency_s": 4.0}, ended("fp16", status), device_name=A100)
    assert_not_judged(claim, NotJudged.NOT_MEASURED)


def test_a_case_that_died_before_it_reported_its_size_is_not_called_tiny(tmp_path):
    record = ended("fp16", "crashed", size=None, images=None)
    assert_not_judged(judge(tmp_path, {"latency_s": 4.0}, record, device_name=A100), NotJudged.NOT_MEASURED)


def test_a_speedup_is_not_judged_if_the_baseline_failed(tmp_path):
    claim = judge(tmp_path, {"speedup": 1.5}, measured("fp16", 4.0), base=ended("baseline", "failed"))
    assert_not_judged(claim, NotJudged.NO_BASELINE)


def test_running_out_of_memory_as_documented_is_a_verdict(tmp_path):
    claim = judge(tmp_path, {"status": "oom"}, ended("fp16", "oom"), device_name=A100)
    assert_judged(claim, JudgedBy.STATUS, ClaimVerdict.AS_DOCUMENTED)


def test_fitting_although_the_documentation_says_otherwise_is_a_verdict(tmp_path):
    claim = judge(tmp_path, {"status": "oom"}, measured("fp16", 4.0), device_name=A100)
    assert_judged(claim, JudgedBy.STATUS, ClaimVerdict.OTHER_STATUS)


@pytest.mark.parametrize("record", [ended("fp16", "oom"), measured("fp16", 4.0)], ids=["oom", "ok"])
def test_running_out_of_memory_is_not_judged_on_another_gpu(tmp_path, record):
    assert_not_judged(judge(tmp_path, {"status": "oom"}, record), NotJudged.OTHER_DEVICE)


def test_a_case_without_a_claim_has_no_verdict(tmp_path):
    assert judge(tmp_path, {}, measured("fp16", 4.0)) == Claim()


@pytest.mark.parametrize(
    ("field", "value"), [("note", "inferred: DDIM"), ("device", "NVIDIA A100"), ("approximate", True)]
)
def test_a_claim_keeps_what_the_scenario_says_about_it(tmp_path, field, value):
    claim = {"latency_s": 4.0, "approximate": True, "note": "inferred: DDIM"}
    assert getattr(judge(tmp_path, claim, measured("fp16", 4.0)), field) == value
