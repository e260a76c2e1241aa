import pytest

from bench.records import schema
from bench.records.schema import PROCESSES, RESULTS, SAMPLES, Status, names


@pytest.mark.parametrize("columns", [SAMPLES, PROCESSES, RESULTS], ids=["samples", "processes", "results"])
def test_no_file_has_two_columns_of_one_name(columns):
    assert list(dict.fromkeys(names(columns))) == names(columns)


def test_results_has_every_column_of_processes_but_the_replicate():
    assert set(names(PROCESSES)) - set(names(RESULTS)) == {"process"}


def test_results_begins_with_what_a_reader_looks_for():
    assert names(RESULTS)[:4] == ["scenario", "case", "status", "reason"]


@pytest.mark.parametrize("columns", [SAMPLES, PROCESSES], ids=["samples", "processes"])
def test_the_key_joins_every_file_of_a_run(columns):
    assert set(names(schema.KEY)) <= set(names(columns))


def test_the_same_column_has_the_same_type_in_every_file():
    types = {(column.name, column.type) for column in (*SAMPLES, *PROCESSES, *RESULTS)}
    assert len(types) == len({name for name, _ in types})


def test_every_column_says_what_it_holds():
    assert [column.name for column in (*SAMPLES, *PROCESSES, *RESULTS) if not column.doc] == []


def test_the_status_column_lists_every_status():
    status = next(column for column in PROCESSES if column.name == "status")
    assert status.doc.split(": ")[1].split(", ") == [str(status) for status in Status]


def test_no_status_is_both_measured_and_a_fault():
    assert set(schema.MEASURED) & set(schema.FAULTS) == set()
