"""How like its input is the reconstruction of an image of which nothing is masked?"""

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import Masking
from mae_bench.models.vit import unpatchify

WINDOW = 3  # pixels a side, the same weight each: images are of 8 pixels and more


def reconstruct_unmasked(
    method: MAE, images: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n c h w"]:
    """The decoder's word on every patch, the encoder having seen every patch.

    The decoder is asked as in training, by a mask token at the patch's place, while the
    patch's own token lies before it.
    """
    patches = torch.arange(method.encoder.num_patches, device=images.device)
    ids = patches.expand(len(images), -1)
    # All are kept and all are asked for: no mask that training draws does both.
    everything = Masking(ids, ids)
    tokens = method.forward_encoder(images, everything)
    prediction = method.forward_decoder(tokens, everything)
    return unpatchify(prediction, method.encoder.patch_size)


def compare(
    prediction: Float[Tensor, "n c h w"], target: Float[Tensor, "n c h w"]
) -> dict[str, float]:
    """SSIM, PSNR and mean squared error, the range R being that of all targets.

    SSIM = (2 μ_x μ_y + c1) (2 σ_xy + c2) / ((μ_x² + μ_y² + c1) (σ_x² + σ_y² + c2)), its
    moments over uniform windows of 3 x 3 pixels, with c1 = (.01 R)² and c2 = (.03 R)²;
    edges are reflected. The mean over windows, channels and images.
    """
    x, y = prediction.double(), target.double()
    span = float(y.max() - y.min())
    ssim = structural_similarity_index_measure(
        x, y, gaussian_kernel=False, kernel_size=WINDOW, data_range=span
    )
    assert isinstance(ssim, Tensor)
    psnr = peak_signal_noise_ratio(x, y, data_range=span)
    error = (x - y).square().mean()
    return {"ssim": float(ssim), "psnr": float(psnr), "mse": float(error)}


@metric(
    reads="encoder",
    direction="none",
    unit={
        "ssim": "structural similarity",
        "psnr": "decibels",
        "*": "squared pixel value",
    },
    version=1,
    source="Wang et al. 2004, doi 10.1109/TIP.2003.819861, by torchmetrics",
)
def image_quality(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """SSIM, PSNR and MSE of the reconstruction of whole, unmasked images.

    It is a mask's trace in the network, not the task that it was trained for: an
    autoencoder trained under masks has never been asked for what it sees, and seldom
    copies it. The reading of the paper's sentence is that all patches are encoded and
    all are asked for.

    In a training of your own, torchmetrics' ``StructuralSimilarityIndexMeasure`` and
    ``PeakSignalNoiseRatio`` accumulate it.

    Args:
        method: A masked autoencoder.
        dataset: Not looked at.
        batch: Images.
        generator: Not used: nothing is masked.

    Returns:
        ``ssim`` in [-1, 1], 1 for equal images; ``psnr`` in decibels,
        10 log10(R² / mse); ``mse`` over all pixels, in the images' squared unit. The
        range R of pixels is that of these images.

    Raises:
        Skip: A method without decoder, or one that predicts normalised patches.

    References:
        Kong et al. 2023, arXiv 2306.04898, Fig. 5, where windows are larger.
    """
    del dataset, generator
    if not isinstance(method, MAE):
        raise Skip(f"{type(method).__name__} does not reconstruct")
    if method.norm_pix_loss:
        raise Skip("norm_pix_loss predicts normalised patches, which are no pixels")
    return compare(reconstruct_unmasked(method, batch.images), batch.images)
