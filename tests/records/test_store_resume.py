import pytest

from bench.errors import InputError
from bench.records.schema import Status
from bench.records.store import PROCESSES, SAMPLES, Store, read_rows

PLAN = {"scenarios": [], "cases": [{"scenario": "sd", "name": "fp16"}], "run": {"device": "cuda", "samples": None}}
FACTS = {"device": "cuda", "device_name": "NVIDIA A100-SXM4-80GB", "driver": "580.65.06", "cuda": "12.8",
         "torch": "2.9.0", "diffusers": "0.42.0", "transformers": "5.10.0", "accelerate": "1.10.0",
         "python": "3.11.7", "git_commit": "abc"}  # fmt: skip
REASON = 'size mismatch, "expected"\n[4, 64] and ünknown'


def key(case, process=0):
    return {"scenario": "sd", "case": case, "process": process}


def append(store, case, status=Status.OK, *, process=0, samples=3, **facts):
    timings = [{**key(case, process), "index": index, "latency_s": 0.5 + index} for index in range(samples)]
    store.append({**key(case, process), "status": str(status), **facts}, timings)


def resume(folder, plan=PLAN, facts=FACTS):
    """Open a folder again, close it, and return what is finished."""
    store = Store(folder)
    try:
        return {(r["scenario"], r["case"], int(r["process"])) for r in store.open(plan, facts, resume=True)}
    finally:
        store.close()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def cases_of(folder, name):
    return [row["case"] for row in read_rows(folder / name)]


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "run")
    opened.open(PLAN, FACTS, resume=False)
    yield opened
    opened.close()


@pytest.fixture
def folder(store):
    """A run that stopped after two of its cases."""
    append(store, "baseline")
    append(store, "fp16")
    store.close()
    return store.folder


def test_resume_returns_exactly_the_finished_keys(store):
    append(store, "baseline", process=0)
    append(store, "baseline", process=1)
    append(store, "fp16", Status.INTERRUPTED)
    store.close()
    assert resume(store.folder) == {("sd", "baseline", 0), ("sd", "baseline", 1)}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.INTERRUPTED])
def test_a_case_that_ended_is_not_measured_again(store, status):
    append(store, "fp16", status)
    store.close()
    assert resume(store.folder) == {("sd", "fp16", 0)}


def test_resume_drops_an_interrupted_row(store):
    append(store, "baseline")
    append(store, "fp16", Status.INTERRUPTED)
    store.close()
    resume(store.folder)
    assert cases_of(store.folder, PROCESSES) == ["baseline"]


def test_resume_drops_the_samples_of_an_interrupted_row(store):
    append(store, "baseline", samples=1)
    append(store, "fp16", Status.INTERRUPTED, samples=2)
    store.close()
    resume(store.folder)
    assert cases_of(store.folder, SAMPLES) == ["baseline"]


def test_resume_drops_samples_without_a_process_row(folder):
    with (folder / SAMPLES).open("a", encoding="utf-8") as file:
        file.write("sd,tf32,0,0,0.25,\n")
    resume(folder)
    assert cases_of(folder, SAMPLES) == ["baseline"] * 3 + ["fp16"] * 3


def test_resume_tells_replicates_apart(store):
    append(store, "fp16", process=0, samples=1)
    append(store, "fp16", Status.INTERRUPTED, process=1, samples=1)
    store.close()
    resume(store.folder)
    assert [row["process"] for row in read_rows(store.folder / SAMPLES)] == ["0"]


def test_resume_drops_a_torn_last_sample(folder):
    whole = contents(folder)
    with (folder / SAMPLES).open("a", encoding="utf-8") as file:
        file.write("sd,fp16,0,3,0.2")
    resume(folder)
    assert contents(folder) == whole


def test_resume_drops_a_torn_last_process(folder):
    path = folder / PROCESSES
    path.write_bytes(path.read_bytes()[:-10])
    assert resume(folder) == {("sd", "baseline", 0)}


def test_resume_drops_the_samples_of_a_torn_process(folder):
    path = folder / PROCESSES
    path.write_bytes(path.read_bytes()[:-10])
    resume(folder)
    assert cases_of(folder, SAMPLES) == ["baseline"] * 3


def test_a_row_torn_within_a_letter_is_dropped(folder):
    with (folder / PROCESSES).open("ab") as file:
        file.write("1,sd,größer".encode()[:-4])
    assert resume(folder) == {("sd", "baseline", 0), ("sd", "fp16", 0)}


def test_a_row_of_several_lines_is_dropped_wherever_it_is_torn(store):
    append(store, "baseline")
    path = store.folder / PROCESSES
    whole = path.read_bytes()
    append(store, "fp16", Status.FAILED, reason=REASON)
    torn = path.read_bytes()

    def cases_after(cut):
        path.write_bytes(torn[:cut])
        return cases_of(store.folder, PROCESSES)

    assert [cut for cut in range(len(whole), len(torn)) if cases_after(cut) != ["baseline"]] == []


def test_resume_keeps_every_finished_row_to_the_letter(store):
    append(store, "baseline", Status.FAILED, reason=REASON, wall_s=0.1 + 0.2)
    append(store, "fp16", samples=6)
    store.close()
    before = contents(store.folder)
    resume(store.folder)
    assert contents(store.folder) == before


def test_a_resumed_run_appends_after_what_is_on_file(folder):
    store = Store(folder)
    store.open(PLAN, FACTS, resume=True)
    append(store, "tf32")
    store.close()
    assert cases_of(folder, PROCESSES) == ["baseline", "fp16", "tf32"]


def test_resume_of_a_folder_that_holds_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no run to go on with"):
        resume(tmp_path / "new")


def test_a_run_that_was_killed_while_it_began_is_begun_again(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.json").write_text("{}")
    assert resume(tmp_path / "run") == set()


@pytest.mark.parametrize("resumed", [True, False])
def test_a_folder_of_other_things_is_left_alone(tmp_path, resumed):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "mine" / "plan.json").write_text("my own plan")
    with pytest.raises(InputError, match="is no run, but holds"):
        Store(tmp_path / "mine").open(PLAN, FACTS, resume=resumed)
    assert (tmp_path / "mine" / "plan.json").read_text() == "my own plan"


def test_resume_refuses_another_plan(folder):
    with pytest.raises(InputError, match="was made from another plan"):
        resume(folder, plan={**PLAN, "run": {"device": "cuda", "samples": 12}})


@pytest.mark.parametrize(
    "fact", ["device_name", "device", "driver", "cuda", "torch", "diffusers", "transformers", "accelerate", "python"]
)
def test_resume_refuses_another_environment(folder, fact):
    with pytest.raises(InputError, match=f"was made with {fact} .*, here is another"):
        resume(folder, facts={**FACTS, fact: "another"})


def test_resume_refuses_to_go_on_without_an_accelerator_that_was_there(folder):
    with pytest.raises(InputError, match=r"was made with driver 580\.65\.06, here is"):
        resume(folder, facts={name: value for name, value in FACTS.items() if name != "driver"})


def test_resume_goes_on_where_only_a_commit_changed(folder):
    assert len(resume(folder, facts={**FACTS, "git_commit": "def"})) == 2


def test_a_plan_of_tuples_is_the_plan_that_was_stored_as_lists(tmp_path):
    plan = {**PLAN, "cases": ({"seed": (0, 1)},)}
    store = Store(tmp_path / "run")
    store.open(plan, FACTS, resume=False)
    store.close()
    assert resume(tmp_path / "run", plan=plan) == set()


@pytest.mark.parametrize("changed", [{"plan": {"cases": []}}, {"facts": {**FACTS, "torch": "2.10.0"}}])
def test_a_refused_resume_changes_no_file(store, changed):
    append(store, "fp16", Status.INTERRUPTED)
    store.close()
    before = contents(store.folder)
    with pytest.raises(InputError):
        resume(store.folder, **changed)
    assert contents(store.folder) == before


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
def test_a_damaged_json_file_is_named(folder, name):
    (folder / name).write_text('{"cases": [', encoding="utf-8")
    with pytest.raises(InputError, match=f"{name}: is no JSON"):
        resume(folder)


@pytest.mark.parametrize("name", ["plan.json", "environment.json", SAMPLES])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: cannot be read"):
        resume(folder)


@pytest.mark.parametrize("name", [SAMPLES, PROCESSES])
def test_files_of_another_version_are_refused(folder, name):
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace("process", "repetition", 1), encoding="utf-8")
    with pytest.raises(InputError, match=f"{name}:1: has not the columns"):
        resume(folder)


@pytest.mark.parametrize(
    "line", ["sd,fp16,first,3,0.2,", "sd,fp16", "sd,fp16,0,3,0.2,,and,more"], ids=["text", "short", "long"]
)
def test_a_row_that_was_changed_by_hand_is_refused_with_the_file_it_is_in(folder, line):
    with (folder / SAMPLES).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=SAMPLES):
        resume(folder)
