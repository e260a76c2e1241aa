import pandas as pd
import pytest
from analyze.make import A100, H200, SOURCE, case, ended, make_rows, measured

from bench.analyze.claims import same_device

BASE = measured("baseline", 6.0)


def judge(tmp_path, claim, outcome, *, base_claim=None, base=BASE, device_name=H200, source=SOURCE, call=None):
    """Return the row of the case `fp16` with this claim, beside a baseline that takes six seconds."""
    cases = [case("baseline", claim=base_claim or {}), case("fp16", claim=claim, call=call or {})]
    return make_rows(tmp_path / "run", cases, [base, outcome], device_name=device_name, source=source)["fp16"]


def held(row):
    """Return what the claim was held as, rounded ratio and verdict; None for what is unknown."""
    ratio = None if pd.isna(row["claim_ratio"]) else round(row["claim_ratio"], 6)
    held_as = None if pd.isna(row["claim_judged_by"]) else row["claim_judged_by"]
    return held_as, ratio, row["claim_verdict"]


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


def test_seconds_are_held_on_the_documented_gpu(tmp_path):
    row = judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.2), device_name=A100)
    assert held(row) == ("latency", 1.05, "as documented")


def test_seconds_are_not_held_on_another_gpu(tmp_path):
    assert held(judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.0))) == (
        None,
        None,
        "not held: documented on NVIDIA A100",
    )


def test_seconds_of_an_unnamed_gpu_are_not_held(tmp_path):
    row = judge(tmp_path, {"latency_s": 4.0}, measured("fp16", 4.0), source={"document": "docs"})
    assert held(row) == (None, None, "not held: documented on an unnamed device")


def test_the_documented_gpu_holds_seconds_rather_than_the_speedup(tmp_path):
    row = judge(tmp_path, {"latency_s": 4.0, "speedup": 1.5}, measured("fp16", 4.0), device_name=A100)
    assert row["claim_judged_by"] == "latency"


def test_another_gpu_holds_the_speedup(tmp_path):
    row = judge(tmp_path, {"latency_s": 4.0, "speedup": 1.5}, measured("fp16", 4.0))
    assert held(row) == ("speedup", 1.0, "as documented")


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [
        (3.59, "faster than documented"),
        (3.61, "as documented"),
        (4.39, "as documented"),
        (4.41, "slower than documented"),
    ],
)
def test_seconds_are_as_documented_within_ten_per_cent(tmp_path, latency_s, verdict):
    row = judge(tmp_path, {"latency_s": 4.0}, measured("fp16", latency_s), device_name=A100)
    assert row["claim_verdict"] == verdict


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [
        (2.7, "gains more than documented"),
        (2.8, "as documented"),
        (3.3, "as documented"),
        (3.4, "gains less than documented"),
    ],
)
def test_a_speedup_is_as_documented_within_ten_per_cent(tmp_path, latency_s, verdict):
    assert judge(tmp_path, {"speedup": 2.0}, measured("fp16", latency_s))["claim_verdict"] == verdict


@pytest.mark.parametrize(
    ("latency_s", "verdict"),
    [(2.9, "faster than documented"), (3.1, "as documented"), (4.9, "as documented"), (5.1, "slower than documented")],
)
def test_an_approximate_figure_is_as_documented_within_a_quarter(tmp_path, latency_s, verdict):
    row = judge(tmp_path, {"latency_s": 4.0, "approximate": True}, measured("fp16", latency_s), device_name=A100)
    assert row["claim_verdict"] == verdict


def test_a_figure_of_several_calls_is_divided_by_them(tmp_path):
    row = judge(tmp_path, {"latency_s": 12.0, "over_calls": 3}, measured("fp16", 4.0), device_name=A100)
    assert (row["claim_latency_s"], *held(row)) == (4.0, "latency", 1.0, "as documented")


def test_a_figure_of_a_batch_is_divided_by_its_images(tmp_path):
    call = {"num_images_per_prompt": 4}
    row = judge(
        tmp_path, {"latency_s": 12.0, "over_calls": 3}, measured("fp16", 4.0, images=4), device_name=A100, call=call
    )
    assert (row["claim_latency_s"], row["claim_seconds_per_image"], row["claim_ratio"]) == (4.0, 1.0, 1.0)


def test_a_figure_of_one_image_is_held_against_one_image(tmp_path):
    row = judge(tmp_path, {"seconds_per_image": 1.0}, measured("fp16", 4.0, images=4), device_name=A100)
    assert held(row) == ("latency", 1.0, "as documented")


def test_a_speedup_that_is_not_stated_is_derived_from_two_documented_figures(tmp_path):
    row = judge(tmp_path, {"latency_s": 2.5}, measured("fp16", 3.0), base_claim={"latency_s": 5.0})
    assert (row["claim_speedup"], *held(row)) == (2.0, "speedup", 1.0, "as documented")


def test_a_derived_speedup_is_of_the_image(tmp_path):
    call = {"num_images_per_prompt": 4}
    row = judge(
        tmp_path, {"latency_s": 10.0}, measured("fp16", 8.0, images=4), base_claim={"latency_s": 5.0}, call=call
    )
    assert row["claim_speedup"] == 2.0


def test_a_stated_speedup_is_not_derived_again(tmp_path):
    row = judge(tmp_path, {"latency_s": 2.5, "speedup": 1.9}, measured("fp16", 3.0), base_claim={"latency_s": 5.0})
    assert row["claim_speedup"] == 1.9


def test_nothing_is_derived_from_a_baseline_without_a_figure(tmp_path):
    assert pd.isna(judge(tmp_path, {"latency_s": 2.5}, measured("fp16", 3.0))["claim_speedup"])


def test_a_reduced_latency_is_a_speedup(tmp_path):
    row = judge(tmp_path, {"latency_reduction": 0.5}, measured("fp16", 3.0))
    assert (row["claim_speedup"], *held(row)) == (2.0, "speedup", 1.0, "as documented")


def test_a_claim_of_saved_parameters_stands_beside_what_is_saved(tmp_path):
    base = measured("baseline", 6.0, denoiser_parameters=800)
    row = judge(tmp_path, {"parameter_reduction": 0.51}, measured("fp16", 3.0, denoiser_parameters=400), base=base)
    assert (row["claim_parameter_reduction"], row["parameter_reduction"]) == (0.51, 0.5)


@pytest.mark.parametrize("claim", [{"parameter_reduction": 0.51}, {"speedup": 1.5}])
def test_a_claim_is_not_said_to_be_of_another_gpu_on_its_own(tmp_path, claim):
    row = judge(tmp_path, claim, measured("fp16", 3.0), base=ended("baseline", "failed"), device_name=A100)
    assert row["claim_verdict"] != "not held: documented on NVIDIA A100"


@pytest.mark.parametrize("device_name", [A100, H200])
def test_the_baseline_is_not_held_against_its_own_speedup_of_one(tmp_path, device_name):
    row = make_rows(tmp_path / "run", [case("baseline", claim={"speedup": 1.0})], [BASE], device_name=device_name)[
        "baseline"
    ]
    assert pd.isna(row["claim_judged_by"])


def test_the_seconds_of_the_baseline_are_held_on_the_documented_gpu_alone(tmp_path):
    cases = [case("baseline", claim={"latency_s": 6.0})]
    rows = [make_rows(tmp_path / name, cases, [BASE], device_name=name)["baseline"] for name in (A100, H200)]
    assert [held(row) for row in rows] == [
        ("latency", 1.0, "as documented"),
        (None, None, "not held: documented on NVIDIA A100"),
    ]


@pytest.mark.parametrize(
    "claim", [{"latency_s": 4.0}, {"speedup": 1.5}, {"status": "oom"}, {"parameter_reduction": 0.5}]
)
def test_a_tiny_row_is_never_held(tmp_path, claim):
    base = measured("baseline", 6.0, size="tiny")
    row = judge(tmp_path, claim, measured("fp16", 4.0, size="tiny"), base=base, device_name=A100)
    assert held(row) == (None, None, "not held: a tiny twin")


@pytest.mark.parametrize("status", ["failed", "oom", "skipped", "timeout", "crashed", "interrupted"])
def test_a_figure_is_not_held_against_a_case_that_was_not_measured(tmp_path, status):
    row = judge(tmp_path, {"latency_s": 4.0}, ended("fp16", status), device_name=A100)
    assert held(row) == (None, None, f"not held: {status}")


def test_a_case_that_died_before_it_told_its_size_is_not_called_a_toy(tmp_path):
    row = judge(tmp_path, {"latency_s": 4.0}, ended("fp16", "crashed", size=None, images=None), device_name=A100)
    assert held(row) == (None, None, "not held: crashed")


def test_a_speedup_is_not_held_where_the_baseline_failed(tmp_path):
    row = judge(tmp_path, {"speedup": 1.5}, measured("fp16", 4.0), base=ended("baseline", "failed"))
    assert pd.isna(row["claim_judged_by"])


def test_running_out_of_memory_as_documented_is_a_verdict(tmp_path):
    row = judge(tmp_path, {"status": "oom"}, ended("fp16", "oom"), device_name=A100)
    assert held(row) == ("status", None, "as documented")


def test_fitting_where_the_documentation_does_not_is_a_verdict(tmp_path):
    row = judge(tmp_path, {"status": "oom"}, measured("fp16", 4.0), device_name=A100)
    assert held(row) == ("status", None, "documented oom, here ok")


@pytest.mark.parametrize("outcome", [ended("fp16", "oom"), measured("fp16", 4.0)], ids=["oom", "ok"])
def test_running_out_of_memory_is_not_held_on_another_gpu(tmp_path, outcome):
    assert held(judge(tmp_path, {"status": "oom"}, outcome)) == (None, None, "not held: documented on NVIDIA A100")


def test_a_case_without_a_claim_has_no_verdict(tmp_path):
    row = judge(tmp_path, {}, measured("fp16", 4.0))
    assert [name for name in row.index if name.startswith("claim_") and not pd.isna(row[name])] == []


def test_a_claim_keeps_its_note_and_its_gpu(tmp_path):
    row = judge(tmp_path, {"latency_s": 4.0, "approximate": True, "note": "inferred: DDIM"}, measured("fp16", 4.0))
    assert (row["claim_note"], row["claim_device"], row["claim_approximate"]) == ("inferred: DDIM", "NVIDIA A100", True)
