import pytest

from bench.pipelines import effective


def test_a_tf32_override_in_the_environment_is_told(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    assert effective.overridden("cuda") == ["NVIDIA_TF32_OVERRIDE=0"]


@pytest.mark.parametrize(("kind", "value"), [("cuda", ""), ("cpu", "0")])
def test_an_override_that_overrides_nothing_is_not(monkeypatch, kind, value):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", value)
    assert effective.overridden(kind) == []
