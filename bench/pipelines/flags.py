"""The flags of this process that decide which kernels torch chooses, and what every case starts from."""


def set_tf32(*, matmul: bool, conv: bool) -> None:
    """Set both flags, only the old pair: mixed with torch's newer `fp32_precision`, reading them back raises."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = matmul
    torch.backends.cudnn.allow_tf32 = conv


def set_default_flags() -> None:
    """Set what every case starts from, PyTorch's defaults: TF32 on for convolutions, off for matrix products.

    Whatever else in this process used the newer API is undone first, or the old flags could not be read back.
    """
    import torch

    torch.set_float32_matmul_precision("highest")
    torch.backends.fp32_precision = "none"
    set_tf32(matmul=False, conv=True)
    torch.backends.cudnn.benchmark = False
