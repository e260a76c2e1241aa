"""Records that tests put on file."""

from bench.records.columns import from_flat
from bench.records.models import ProcessRecord

PLAN = {"scenarios": [], "cases": [{"scenario": "sd", "name": "fp16"}], "run": {"device": "cuda", "samples": None}}
ENVIRONMENT = {
    "diffusion_bench": "0.2.0", "variables": {"OMP_NUM_THREADS": "3"}, "device": "cuda",
    "device_name": "NVIDIA A100-SXM4-80GB", "driver": "580.65.06", "cuda": "12.8", "torch": "2.9.0",
    "diffusers": "0.42.0", "transformers": "5.10.0", "accelerate": "1.10.0", "python": "3.11.7", "git_commit": "abc",
}  # fmt: skip


def process_record(case="fp16", status="ok", *, process=0, samples=(0.5, 0.6, 0.7), **columns):
    """Return the record of a process with these latencies in seconds."""
    named = {"scenario": "sd", "case": case, "process": process, "status": status, "images": 1}
    return from_flat(
        ProcessRecord,
        {**named, **columns},
        samples=[{"latency_s": latency_s, "device_time_s": latency_s / 2} for latency_s in samples],
    )
