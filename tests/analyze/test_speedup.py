import pandas as pd
import pytest
from analyze.make import case, ended, make_rows, measured


def speedup(tmp_path, *outcomes, **settings):
    """Return the speed-up of the case `fp16` after these outcomes of it and of `baseline`."""
    return make_rows(tmp_path / "run", [case("baseline"), case("fp16", **settings)], outcomes)["fp16"]["speedup"]


def test_more_than_one_is_faster(tmp_path):
    assert speedup(tmp_path, measured("baseline", 3.0), measured("fp16", 2.0)) == 1.5


def test_batches_of_different_sizes_are_compared_by_the_image(tmp_path):
    assert speedup(tmp_path, measured("baseline", 3.0, images=1), measured("fp16", 6.0, images=4)) == 2.0


def test_the_baseline_may_be_measured_after_the_case(tmp_path):
    assert speedup(tmp_path, measured("fp16", 2.0), measured("baseline", 3.0)) == 1.5


def test_the_row_names_the_case_it_is_compared_with(tmp_path):
    row = make_rows(
        tmp_path / "run", [case("baseline"), case("fp16")], [measured("baseline", 3.0), measured("fp16", 2.0)]
    )["fp16"]
    assert row["baseline"] == "baseline"


def test_a_case_without_a_baseline_has_no_speedup(tmp_path):
    assert pd.isna(speedup(tmp_path, measured("baseline", 3.0), measured("fp16", 2.0), baseline=None))


@pytest.mark.parametrize("status", ["failed", "oom", "skipped", "crashed"])
def test_there_is_no_speedup_over_a_baseline_that_failed(tmp_path, status):
    assert pd.isna(speedup(tmp_path, ended("baseline", status), measured("fp16", 2.0)))


def test_there_is_no_speedup_over_a_baseline_that_was_not_run(tmp_path):
    assert pd.isna(speedup(tmp_path, measured("fp16", 2.0)))


def test_there_is_no_speedup_over_a_baseline_that_died_before_it_told_its_size(tmp_path):
    assert pd.isna(speedup(tmp_path, ended("baseline", "crashed", size=None, images=None), measured("fp16", 2.0)))


def test_a_case_that_failed_has_no_speedup(tmp_path):
    assert pd.isna(speedup(tmp_path, measured("baseline", 3.0), ended("fp16", "failed")))


@pytest.mark.parametrize(("base", "mine"), [("tiny", "full"), ("full", "tiny")])
def test_a_toy_and_a_whole_model_have_no_speedup(tmp_path, base, mine):
    assert pd.isna(speedup(tmp_path, measured("baseline", 3.0, size=base), measured("fp16", 2.0, size=mine)))


def test_two_toys_have_a_speedup(tmp_path):
    assert speedup(tmp_path, measured("baseline", 3.0, size="tiny"), measured("fp16", 2.0, size="tiny")) == 1.5


def test_a_smaller_denoiser_saves_parameters(tmp_path):
    outcomes = [measured("baseline", 3.0, denoiser_parameters=800), measured("fp16", 2.0, denoiser_parameters=600)]
    assert (
        make_rows(tmp_path / "run", [case("baseline"), case("fp16")], outcomes)["fp16"]["parameter_reduction"] == 0.25
    )


def test_parameters_are_saved_also_where_the_case_ran_out_of_memory(tmp_path):
    outcomes = [measured("baseline", 3.0, denoiser_parameters=800), ended("fp16", "oom", denoiser_parameters=600)]
    assert (
        make_rows(tmp_path / "run", [case("baseline"), case("fp16")], outcomes)["fp16"]["parameter_reduction"] == 0.25
    )


def test_unknown_parameters_save_nothing_known(tmp_path):
    outcomes = [measured("baseline", 3.0), measured("fp16", 2.0, denoiser_parameters=600)]
    rows = make_rows(tmp_path / "run", [case("baseline"), case("fp16")], outcomes)
    assert pd.isna(rows["fp16"]["parameter_reduction"])


def test_a_toy_and_a_whole_model_save_no_parameters(tmp_path):
    outcomes = [
        measured("baseline", 3.0, size="tiny", denoiser_parameters=8),
        measured("fp16", 2.0, denoiser_parameters=600),
    ]
    rows = make_rows(tmp_path / "run", [case("baseline"), case("fp16")], outcomes)
    assert pd.isna(rows["fp16"]["parameter_reduction"])
