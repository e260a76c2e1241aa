import pytest
from analyze.make import H200, case, ended, in_passes, make_folder, make_side, measured, result

from bench.analyze import baselines
from bench.analyze.side import Side
from bench.errors import InputError


@pytest.mark.parametrize(
    ("device", "folder"),
    [("NVIDIA H200", "nvidia-h200"), ("AMD EPYC 7B13 (64-Core)", "amd-epyc-7b13-64-core"), ("../../etc", "etc")],
)
def test_a_baseline_is_in_the_folder_of_its_device(tmp_path, device, folder):
    assert baselines.path_of(device, "sd", tmp_path) == tmp_path / folder / "sd.csv"


def save(tmp_path, *records, run="run", **options):
    names = dict.fromkeys(record.case for record in records)
    return baselines.write(make_folder(tmp_path / run, map(case, names), records, **options), tmp_path / "kept")


def test_what_is_saved_is_found_again_as_it_was(tmp_path):
    save(tmp_path, *in_passes("baseline", [1.0, 1.1, 1.2]), device_name=H200)
    new = make_side(tmp_path / "new", [measured("baseline", 1.0)], device_name=H200)
    found, _ = baselines.find(new, tmp_path / "kept")
    assert found.results["sd/baseline"].statistics.process_medians_s == {0: 1.0, 1: 1.1, 2: 1.2}


def test_a_scenario_without_a_baseline_is_named(tmp_path):
    save(tmp_path, measured("baseline", 1.0))
    cases = [case(), case(scenario="sdxl")]
    records = [measured("baseline", 1.0), measured("baseline", 1.0, scenario="sdxl")]
    new = baselines.open_side(make_folder(tmp_path / "new", cases, records))
    assert baselines.find(new, tmp_path / "kept")[1] == ["sdxl"]


def test_a_side_without_any_baseline_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such baseline"):
        baselines.find(make_side(tmp_path / "new", [measured("baseline", 1.0)]), tmp_path / "kept")


@pytest.mark.parametrize(
    ("medians", "few"), [([1.0], ("sd/baseline",)), ([1.0, 1.0], ("sd/baseline",)), ([1.0, 1.0, 1.0], ())]
)
def test_cases_with_too_few_processes_are_named(tmp_path, medians, few):
    assert save(tmp_path, *in_passes("baseline", medians)).few_processes == few


def test_unstable_cases_are_named(tmp_path):
    saved = save(tmp_path, measured("baseline", 1.0), measured("drifts", 1.0, status="unstable"))
    assert saved.unstable == ("sd/drifts",)


def test_a_case_that_broke_is_left_out(tmp_path):
    assert save(tmp_path, measured("baseline", 1.0), ended("broken", "failed")).left_out == ("sd/broken",)


def test_a_case_that_ran_out_of_memory_is_saved(tmp_path):
    assert save(tmp_path, measured("baseline", 1.0), ended("big", "oom")).cases == ("sd/baseline", "sd/big")


@pytest.mark.parametrize("records", [[], [ended("baseline", "crashed")]], ids=["empty", "broken"])
def test_a_run_without_a_case_to_save_is_refused(tmp_path, records):
    with pytest.raises(InputError, match="has no case to save"):
        save(tmp_path, *records)


def test_a_case_that_a_new_baseline_does_not_have_is_named(tmp_path):
    save(tmp_path, measured("baseline", 1.0), measured("fp16", 0.5))
    assert save(tmp_path, measured("baseline", 1.0), run="some").lost == ("sd/fp16",)


def test_a_baseline_of_another_size_is_not_replaced(tmp_path):
    save(tmp_path, measured("baseline", 1.0))
    with pytest.raises(InputError, match="has size full, but the run has size tiny"):
        save(tmp_path, measured("baseline", 1.0, size="tiny"), run="tiny")


@pytest.mark.parametrize("scenario", ["../../sd", "/etc/sd", "a\0b", "x" * 300])
def test_a_scenario_that_cannot_be_a_file_is_not_searched_for(tmp_path, scenario):
    row = result(scenario=scenario)
    with pytest.raises(InputError, match="cannot be the name of a file"):
        baselines.find(Side("new", tmp_path / "new.csv", {row.key: row}), tmp_path)
