import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from bench.analyze import pixels


@pytest.fixture
def lpips(monkeypatch, tmp_path):
    """A package `lpips` whose distance is the mean one, and a file where torch's hub cache has AlexNet's weights."""
    import torch

    class Mean(torch.nn.Module):
        def forward(self, one, other):
            assert one.shape == (1, 3, *one.shape[2:])
            return (one - other).abs().mean()

    module = ModuleType("lpips")
    module.__spec__ = ModuleSpec("lpips", None)
    module.LPIPS = lambda **_: Mean()
    monkeypatch.setitem(sys.modules, "lpips", module)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    weights = tmp_path / "torch" / "hub" / "checkpoints" / "alexnet-owt-7be5be79.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    pixels._lpips_model.cache_clear()
    yield
    pixels._lpips_model.cache_clear()
