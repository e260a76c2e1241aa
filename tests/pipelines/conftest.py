import pytest
import torch
from diffusers import AutoencoderKL

from bench.pipelines import flags


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Give each test process one thread, so that two processes on two cores do not wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def default_flags():
    """Give a test the flags of a fresh process, and leave none of its own behind."""
    flags.set_default_flags()
    yield
    flags.set_default_flags()


@pytest.fixture(scope="session")
def saved_autoencoder(tmp_path_factory):
    """The folder of another autoencoder than the saved pipeline's."""
    torch.manual_seed(1)
    vae = AutoencoderKL(block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2,
                        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, norm_num_groups=2)  # fmt: skip
    folder = tmp_path_factory.mktemp("saved-vae") / "vae"
    vae.save_pretrained(folder)
    return folder
