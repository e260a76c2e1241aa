"""diffusion-bench: a latency laboratory for diffusion pipelines."""

__version__ = "0.2.0"
