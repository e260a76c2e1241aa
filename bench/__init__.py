"""diffusion-bench: a latency laboratory for diffusion pipelines.

    import bench

    folder = bench.run("sd15-precision", processes=4)
    results = bench.load_results(folder)  # a pandas DataFrame with one row per case
    verdict = bench.gate("results/monday", folder).verdict

The functions in `__all__` are the public interface. They are imported when first used, because every worker process and
every pytest session imports this module.
"""

from typing import TYPE_CHECKING, Any

from bench.version import __version__ as __version__

if TYPE_CHECKING:
    from bench.api import compare, gate, load_plan, load_results, run

__all__ = ["compare", "gate", "load_plan", "load_results", "run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'bench' has no attribute '{name}'")
    from bench import api

    return getattr(api, name)
