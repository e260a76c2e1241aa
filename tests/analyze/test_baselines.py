import pytest
from analyze.make import H200, case, make_folder, make_side, measured, replicated

from bench.analyze import baselines
from bench.errors import InputError


@pytest.mark.parametrize(
    ("device", "folder"),
    [("NVIDIA H200", "nvidia-h200"), ("AMD EPYC 7B13 (64-Core)", "amd-epyc-7b13-64-core"), ("../../etc", "etc")],
)
def test_a_baseline_lies_in_the_folder_of_its_device(tmp_path, device, folder):
    assert baselines.path_of(device, "sd", tmp_path) == tmp_path / folder / "sd.csv"


def test_what_is_kept_is_found_again_as_it_was(tmp_path):
    run = make_folder(tmp_path / "run", [case()], replicated("baseline", [1.0, 1.1, 1.2]), device_name=H200)
    baselines.write(run, tmp_path / "kept")
    found, remarks = baselines.find(
        make_side(tmp_path / "new", [measured("baseline", 1.0)], device_name=H200), tmp_path / "kept"
    )
    assert (found.medians("sd/baseline"), remarks) == ({0: 1.0, 1: 1.1, 2: 1.2}, [])


@pytest.mark.parametrize(("medians", "told"), [([1.0], 1), ([1.0, 1.0], 1), ([1.0, 1.0, 1.0], 0)])
def test_a_baseline_of_too_few_processes_is_remarked_on(tmp_path, medians, told):
    run = make_folder(tmp_path / "run", [case()], replicated("baseline", medians))
    assert len(baselines.write(run, tmp_path / "kept")[1]) == told


@pytest.mark.parametrize("device", [None, H200])
def test_only_a_run_that_can_be_compared_is_kept(tmp_path, device):
    outcomes = [measured("baseline", 1.0)] if device is None else []
    run = make_folder(tmp_path / "run", [case()], outcomes, device_name=device)
    with pytest.raises(InputError, match=r"device_name is empty|is an empty run"):
        baselines.write(run, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_case_that_a_new_baseline_does_not_have_is_named(tmp_path):
    both = [measured("baseline", 1.0), measured("fp16", 0.5)]
    baselines.write(make_folder(tmp_path / "all", [case(), case("fp16", dtype="float16")], both), tmp_path / "kept")
    _, remarks = baselines.write(make_folder(tmp_path / "some", [case()], both[:1]), tmp_path / "kept")
    assert any("the run has not measured fp16: gone from the baseline" in remark for remark in remarks)
