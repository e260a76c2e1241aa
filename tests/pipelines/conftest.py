import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Two test processes on two cores: each with a thread, they do not wait for each other's."""
    torch.set_num_threads(1)
