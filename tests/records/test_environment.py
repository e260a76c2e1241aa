import json
import platform
import socket

import pytest

import bench
from bench.records import environment

HOST = "a-host-name-that-nobody-has"


def describe(**libraries):
    return environment.describe(libraries)


def as_text(facts):
    return json.dumps(facts, ensure_ascii=False)


@pytest.fixture
def named_host(monkeypatch):
    """A host with a name that is found wherever it leaks to."""
    system = platform.uname()
    named = platform.uname_result(system.system, HOST, system.release, system.version, system.machine)
    monkeypatch.setattr(platform, "uname", lambda: named)
    monkeypatch.setattr(platform, "_platform_cache", {})
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)
    monkeypatch.setenv("HOSTNAME", HOST)


def test_no_host_name_is_recorded(named_host):
    assert HOST not in as_text(describe())


def test_of_the_system_only_its_kernel_number_is_recorded(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "6.8.12-build7-host3")
    assert describe()["os"] == "Linux 6.8.12"


@pytest.mark.parametrize("name", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "USER", "PATH"])
def test_no_other_variable_is_recorded(name, monkeypatch):
    monkeypatch.setenv(name, "/a-value-that-nobody-else-has")
    assert "a-value-that-nobody-else-has" not in as_text(describe())


def test_a_named_variable_is_recorded_where_it_is_set(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert describe()["variables"]["OMP_NUM_THREADS"] == "3"


def test_a_variable_that_is_not_set_is_left_out(monkeypatch):
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    assert "NVIDIA_TF32_OVERRIDE" not in describe()["variables"]


def test_only_named_variables_are_recorded(monkeypatch):
    for name in environment.VARIABLES:
        monkeypatch.setenv(name, "1")
    assert list(describe()["variables"]) == list(environment.VARIABLES)


def test_what_a_worker_reports_is_laid_over_the_facts_of_the_host():
    assert describe(python="3.99", torch="2.9.0").items() >= {"python": "3.99", "torch": "2.9.0"}.items()


def test_the_version_of_this_package_is_recorded():
    assert describe()["diffusion_bench"] == bench.__version__


def test_the_facts_are_the_same_after_a_trip_through_json():
    facts = describe()
    assert json.loads(as_text(facts)) == facts


def test_an_installed_package_has_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr("bench.records.environment.PACKAGE", tmp_path / "site-packages" / "bench")
    assert environment.git_commit() is None


def test_the_processor_has_a_name():
    assert environment.cpu_name().strip() != ""
