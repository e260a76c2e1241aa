import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Give each test process one thread, so that two processes on two cores do not wait for each other."""
    torch.set_num_threads(1)
