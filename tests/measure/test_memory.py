"""Peak memory of the host and of an accelerator."""

import mmap
import sys

import pytest

from bench.measure.memory import AcceleratorMemory, HostMemory, Peak, open_memory

MIB = 1024**2


def growth_of_mapping(path, permissions):
    """Return by how much the peak grows when a whole file is mapped and read."""
    memory = HostMemory()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=permissions) as mapped:
        assert mapped[:: mmap.PAGESIZE].count(1) == len(mapped) // mmap.PAGESIZE
        return memory.peak().rss_growth_bytes


@pytest.fixture
def file(tmp_path):
    """A file of 32 MiB."""
    path = tmp_path / "file"
    path.write_bytes(b"\1" * 32 * MIB)
    return path


def test_host_memory_grows_by_the_memory_that_is_touched():
    memory = HostMemory()
    held = bytearray(64 * MIB)
    assert 60 * MIB <= memory.peak().rss_growth_bytes <= 68 * MIB
    del held


def test_mapped_code_does_not_count_as_growth(file):
    if sys.platform != "linux":
        pytest.skip("only Linux shows what is mapped")
    assert growth_of_mapping(file, mmap.PROT_READ | mmap.PROT_EXEC) < 4 * MIB


def test_weights_mapped_from_a_file_count_as_growth(file):
    assert growth_of_mapping(file, mmap.PROT_READ) >= 30 * MIB


def test_a_reset_forgets_memory_that_was_released():
    memory = HostMemory()
    held = bytearray(256 * MIB)
    peak = memory.peak().rss_growth_bytes
    del held
    memory.reset()
    assert memory.peak().rss_growth_bytes < peak - 200 * MIB


@pytest.mark.parametrize("counter", ["allocated_bytes", "reserved_bytes"])
def test_the_counters_of_an_allocator_are_unknown_on_a_host_and_not_zero(counter):
    assert getattr(HostMemory().peak(), counter) is None


def test_an_allocator_without_counters_is_found_out_once_it_exists(monkeypatch):
    """Before the first allocation, torch's functions return without a look at the allocator."""
    import torch

    allocated = []

    def counter(_device):
        if allocated:
            raise RuntimeError("this allocator does not count")

    monkeypatch.setattr(torch, "empty", lambda *_size, **_options: allocated.append(1))
    monkeypatch.setattr(torch.accelerator, "reset_peak_memory_stats", counter)
    monkeypatch.setattr(torch.accelerator, "max_memory_allocated", counter)
    assert AcceleratorMemory(torch.device("cuda")).peak() == Peak()


@pytest.mark.gpu
def test_an_accelerator_counts_tensors_and_the_caching_allocator():
    import torch

    memory = open_memory("cuda")
    memory.reset()
    held = torch.empty(64 * MIB, dtype=torch.uint8, device="cuda")
    peak = memory.peak()
    assert peak.allocated_bytes >= 64 * MIB
    assert peak.reserved_bytes >= peak.allocated_bytes
    del held


@pytest.mark.gpu
def test_the_whole_card_uses_at_least_what_this_process_reserved():
    import torch

    memory = open_memory("cuda")
    held = torch.empty(64 * MIB, dtype=torch.uint8, device="cuda")
    assert memory.device_used_bytes() >= memory.reserved_bytes()
    del held
