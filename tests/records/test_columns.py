"""The three flat records: their columns, and the way from values and CSV cells to a record and back."""

import dataclasses
import types
import typing

import pytest

from bench.records.case_result import CaseResult, Versions
from bench.records.columns import CellError, cell, columns, flatten, from_flat
from bench.records.models import ProcessRecord, Sample
from bench.records.outcomes import Remark, RemarkKind, Status

RECORDS = [Sample, ProcessRecord, CaseResult]
BY_TYPE = {
    str: "a text, with commas", int: 3, float: 0.1 + 0.2, bool: False,
    dict[str, typing.Any]: {"prompt": "größer, 模型"},
    tuple[str, ...]: ("tf32", "compile"), tuple[int, ...]: (0, 1), tuple[float, ...]: (0.25, 1 / 3),
    dict[int, float]: {0: 0.5, 1: 1 / 3},
    tuple[Remark, ...]: (Remark(RemarkKind.NEVER_WARM), Remark(RemarkKind.IMAGE_DIFFERS, 31.5, "bfloat16")),
}  # fmt: skip
REQUIRED = {"scenario": "sd", "case": "fp16", "process": 0, "status": "ok"}


def names(record):
    return [each.name for each in columns(record)]


def example(column):
    """Return a value that a column can hold, other than its default."""
    kind = column.type
    if typing.get_origin(kind) in {types.UnionType, typing.Union}:  # with None
        kind = typing.get_args(kind)[0]
    return BY_TYPE[kind] if kind in BY_TYPE else list(kind)[-1]


@pytest.fixture(params=RECORDS, ids=lambda record: record.__name__)
def full(request):
    """A record with a value in every column."""
    values = {each.name: example(each) for each in columns(request.param)}
    return from_flat(request.param, values)


def process_record(**values):
    return from_flat(ProcessRecord, {**REQUIRED, **values})


def refusal(**values):
    with pytest.raises(CellError) as refused:
        process_record(**values)
    return str(refused.value)


@pytest.mark.parametrize("record", RECORDS)
def test_no_two_columns_have_the_same_name(record):
    assert names(record) == list(dict.fromkeys(names(record)))


@pytest.mark.parametrize("record", RECORDS)
def test_every_column_says_what_it_holds(record):
    assert [each.name for each in columns(record) if not each.doc] == []


def test_results_have_every_column_of_processes_but_the_number_of_the_process():
    assert set(names(ProcessRecord)) - set(names(CaseResult)) == {"process"}


def test_results_begin_with_what_a_reader_looks_for():
    assert names(CaseResult)[:4] == ["scenario", "case", "status", "reason"]


def test_a_column_has_the_same_type_in_every_record():
    kinds = {(each.name, str(each.type)) for record in RECORDS for each in columns(record)}
    assert len(kinds) == len({name for name, _ in kinds})


def test_the_columns_of_a_part_have_its_prefix():
    assert {"load_peak_rss_growth_bytes", "peak_allocated_bytes", "breakdown_vae_s"} <= set(names(ProcessRecord))


def test_the_status_column_lists_every_status():
    status = next(each for each in columns(ProcessRecord) if each.name == "status")
    assert status.doc.split(": ")[1].split(", ") == list(Status)


def test_a_record_is_read_back_from_its_columns(full):
    assert from_flat(type(full), flatten(full)) == full


def test_a_record_is_read_back_from_its_cells(full):
    assert from_flat(type(full), {name: str(cell(value)) for name, value in flatten(full).items()}) == full


def test_a_value_lies_in_its_part_of_the_record():
    record = process_record(dtype="float16", load_peak_reserved_bytes=2.0)
    assert record.settings.dtype == "float16"
    assert record.memory.load.reserved_bytes == 2.0


@pytest.mark.parametrize("values", [{}, {"offload": None}, {"offload": ""}])
def test_what_is_missing_or_empty_is_unknown(values):
    assert process_record(**values).effective.offload is None


def test_what_is_unknown_is_an_empty_cell():
    assert {cell(value) for value in (None, {}, ())} == {""}


def test_identical_images_have_an_infinite_ratio():
    values = {"scenario": "sd", "case": "fp16", "status": "ok", "psnr_db": "inf"}
    assert from_flat(CaseResult, values).similarity.psnr_db == float("inf")


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("steps", "3.0", 3), ("warm", "TRUE", True), ("warm", "False", False), ("wall_s", "0", 0.0),
        ("wall_s", "1E-05", 1e-5), ("breakdown_rest_s", "-0.5", -0.5), ("seed", "0+1", (0, 1)), ("seed", "7", (7,)),
        ("call", '{"guidance_scale": 7.5}', {"guidance_scale": 7.5}), ("reason", "2.9", "2.9"),
    ],
)  # fmt: skip
def test_a_cell_is_read_as_its_column_says(column, text, value):
    assert flatten(process_record(**{column: text}))[column] == value


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "0", "-1", "999 ms", "1,5", "fast"])
def test_seconds_that_no_call_can_take_are_refused(text):
    assert refusal(first_call_s=text).startswith(f"first_call_s is '{text}': ")


@pytest.mark.parametrize("text", ["1.5", "-1", str(2**63), "x"])
def test_a_count_that_cannot_be_is_refused(text):
    assert refusal(threads=text).startswith(f"threads is '{text}': ")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("warm", "perhaps"), ("status", "fine"), ("remarks", "host-bound, it says"), ("seed", "0+x"),
        ("call", "{'a': 1}"), ("call", "[1]"), ("breakdown_denoiser_calls_s", [0.1, "x"]), ("power_w", float("nan")),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_its_column(column, value):
    assert refusal(**{column: value}).startswith(f"{column} is '")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_record_without_its_key_is_refused(nothing):
    assert refusal(case=nothing) == "case is empty"


def test_a_name_that_is_not_a_column_is_refused():
    assert refusal(latncy_s=1.0) == "latncy_s is not a column of ProcessRecord"


def test_a_refusal_quotes_no_more_than_a_line():
    assert len(refusal(threads="x" * 5000)) < 200


def test_a_version_that_is_a_number_is_a_text():
    assert Versions.of({"cudnn": 91002, "torch": "2.9.0"}) == Versions(cudnn="91002", torch="2.9.0")


def test_versions_take_no_other_fact_of_the_environment():
    known = {
        name for name, value in dataclasses.asdict(Versions.of({"device": "cuda", "python": "3.11.7"})).items() if value
    }
    assert known == {"python"}
