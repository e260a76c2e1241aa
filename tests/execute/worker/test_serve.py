"""What an exception in a worker is called."""

import pytest

from bench.execute.worker.serve import _outcome
from bench.records.outcomes import Status

pytestmark = pytest.mark.slow

MIB = 1024**2


@pytest.fixture
def card(monkeypatch):
    """A card of which the given number of bytes is free."""
    import torch

    def set_free(free_bytes):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free_bytes, 80_000 * MIB))

    return set_free


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 20.00 MiB",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    ],
)
def test_an_allocators_message_is_out_of_memory(message):
    assert _outcome(RuntimeError(message))[0] is Status.OOM


@pytest.mark.parametrize(("free", "status"), [(7 * MIB, Status.OOM), (40_000 * MIB, Status.FAILED)])
def test_an_internal_error_of_cudnn_is_out_of_memory_on_a_full_card_only(free, status, card):
    card(free)
    assert _outcome(RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"))[0] is status


def test_another_exception_is_a_failure():
    assert _outcome(RuntimeError("shapes cannot be multiplied"))[0] is Status.FAILED
