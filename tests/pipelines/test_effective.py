"""What overrides the settings that are read back."""

import pytest

from bench.pipelines import effective


def test_an_override_in_the_environment_is_returned_as_name_and_value(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    assert effective.overridden("cuda") == ["NVIDIA_TF32_OVERRIDE=0"]


@pytest.mark.parametrize(("kind", "value"), [("cuda", ""), ("cpu", "0")])
def test_an_override_without_an_effect_is_ignored(monkeypatch, kind, value):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", value)
    assert effective.overridden(kind) == []
