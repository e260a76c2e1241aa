"""What is packed of a qualification is small, and can be published."""

import pack
import pytest
from analyze.make import case, make_folder, measured
from PIL import Image

CASES = [case("baseline"), case("fp16")]
RECORDS = [measured("baseline", 2.0), measured("fp16", 1.25)]


@pytest.fixture
def output(tmp_path):
    """What the steps leave: the tables, a side of a gate, reports and logs."""
    root = tmp_path / "qualification"
    run = make_folder(root / "tables" / "run", CASES, RECORDS, git_commit="0123456789ab")
    make_folder(root / "gate" / "01" / "runs" / "base", CASES[:1], RECORDS[:1])
    for name in ("tables.md", "results.csv", "plots/sd.svg", "traces/sd/fp16.json"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("text", encoding="utf-8")
    for folder in (run, root / "gate" / "01" / "runs" / "base"):
        picture = folder / "images" / "sd" / "baseline-0.png"
        picture.parent.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(picture)
    (run / "logs" / "sd").mkdir(parents=True)
    (run / "logs" / "sd" / "fp16-0.log").write_text("x" * 100_000 + "the end", encoding="utf-8")
    (root / "gate" / "01" / "gate.md").write_text("passed", encoding="utf-8")
    (root / "summary.md").write_text("all passed", encoding="utf-8")
    return root


@pytest.fixture
def packed(output):
    return pack.pack(output, output / pack.PACKAGE)


def names(packed):
    return {str(path.relative_to(packed.folder)) for path in packed.folder.rglob("*") if path.is_file()}


def test_a_package_has_reports_and_what_can_be_published_of_runs(packed):
    base = "gate/01/runs/base"
    assert names(packed) == {
        "summary.md", "gate/01/gate.md",
        *(f"{base}/{name}" for name in ("processes.jsonl", "plan.json", "environment.json")),
        *(f"tables/run/{name}" for name in ("processes.jsonl", "plan.json", "environment.json", "tables.md")),
        "tables/run/results.csv", "tables/run/images/sd/baseline-0.png", "tables/run/logs/sd/fp16-0.log",
    }  # fmt: skip


def test_of_a_long_log_the_end_is_kept(packed):
    log = (packed.folder / "tables/run/logs/sd/fp16-0.log").read_text(encoding="utf-8")
    assert len(log) == pack.LOG_BYTES
    assert log.endswith("the end")


def test_the_tables_of_a_package_can_be_published(packed):
    assert packed.refused is None


def test_tables_that_nobody_can_check_out_are_refused_with_the_reason(output):
    environment = output / "tables" / "run" / "environment.json"
    environment.write_text(environment.read_text(encoding="utf-8").replace("0123456789ab", "0123456789ab-dirty"))
    assert "which nobody can check out" in pack.pack(output, output / pack.PACKAGE).refused


def test_a_package_without_tables_is_refused(output, tmp_path):
    assert "is not the folder of a run" in pack.pack(output / "gate", tmp_path / "package").refused


def test_pictures_that_are_large_together_stay_behind(output, monkeypatch):
    monkeypatch.setattr(pack.publish, "MOST_BYTES", 10)
    assert [name for name in names(pack.pack(output, output / pack.PACKAGE)) if name.endswith(".png")] == []


@pytest.mark.parametrize(("most", "large"), [(1_000_000, False), (1_000, True)])
def test_a_package_that_is_too_large_is_a_problem(output, monkeypatch, most, large):
    monkeypatch.setattr(pack, "MOST_BYTES", most)
    found = pack.pack(output, output / pack.PACKAGE)
    assert found.too_large == large
    assert bool(pack.problems(found)) == large


def test_packing_again_replaces_the_package_and_does_not_pack_it(packed, output):
    before = names(packed)
    (packed.folder / "old.json").touch()
    assert names(pack.pack(output, packed.folder)) == before
