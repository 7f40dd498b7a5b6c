"""What an autoencoder knows of masked pixels beyond the best linear guess."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import Masking
from mae_bench.models.vit import unpatchify
from mae_bench.oracles.ceilings import pixel_mask
from mae_bench.oracles.gaussian_conditioning import conditional_mean
from mae_bench.oracles.linear_mae import solve_masked_only

N_FIT, N_CHOOSE = 10_000, 1_000
# Of the mean pixel variance, added to each pixel's when the guess is fitted.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)


def masked_error(
    guess: Float[Tensor, "n d"],
    images: Float[Tensor, "n d"],
    mask: Float[Tensor, "n d"],
) -> float:
    """Mean squared error of all masked pixels."""
    return float(((guess - images).double().square() * mask).sum() / mask.sum())


def linear_guess(
    covariance: Float64[Tensor, "d d"],
    images: Float[Tensor, "n d"],
    mask: Float[Tensor, "n d"],
) -> Float64[Tensor, "n d"]:
    """E[x_m | x_v] of a Gaussian world: a linear map for each mask."""
    pieces = zip(*(torch.split(v, 500) for v in (images, mask)), strict=True)
    return torch.cat([conditional_mean(covariance, *piece) for piece in pieces])


def fitted_covariance(
    fit: Float[Tensor, "n d"], choose: Float[Tensor, "m d"], mask: Float[Tensor, "m d"]
) -> Float64[Tensor, "d d"]:
    """C + ridge I of centred images, with the ridge that guesses the others best."""
    C = torch.cov(fit.double().T, correction=0)
    scale = C.diag().mean() * torch.eye(len(C), dtype=C.dtype, device=C.device)
    candidates = [C + ridge * scale for ridge in RIDGES]
    errors = [
        masked_error(linear_guess(one, choose, mask), choose, mask)
        for one in candidates
    ]
    return candidates[errors.index(min(errors))]


@metric(
    reads="encoder",
    direction="none",
    unit={"gain": "share of the linear error", "*": "squared pixel value"},
    upper=1.0,
    version=1,
    source="mae_bench: reconstruction against linear regression on the visible pixels",
)
def linear_gain(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """1 - (error of the network) / (error of the best linear guess), masks the same.

    The rival is the strongest linear one: of every mask its own affine map of the
    visible pixels, by the mean and covariance of up to 10,000 training images, with a
    ridge chosen on the validation images. In a Gaussian world it is the Bayes
    estimator, and no network gains on it; where a network does, it uses moments above
    the second. A network that was trained too little gains less than it could.

    A linear autoencoder has one map for all masks, and even a Gaussian world leaves a
    network something to gain on that, since the best map depends on the mask: its error
    stands beside as ``linear_mae``.

    Args:
        method: A masked autoencoder.
        dataset: Gives the images that the rival is fitted on.
        batch: Images that both are tested on.
        generator: Draws masks, and images of a generated world.

    Returns:
        ``gain``, at most 1; ``masked``, ``linear`` and ``linear_mae``, mean squared
        errors of a masked pixel of the network, of the rival, and of the linear
        autoencoder without bottleneck that is best on masked pixels, in closed form
        (for patches masked independently).

    Raises:
        Skip: A method that predicts no masked pixels.
    """
    if not isinstance(method, MAE) or method.norm_pix_loss:
        raise Skip(f"{type(method).__name__} predicts no masked pixels")
    prediction, _, masking = method.reconstruct(batch, generator)
    if not torch.equal(method.asked(masking), masking.ids_masked):
        raise Skip(f"{type(method).__name__} is not asked for what is masked")
    p, channels = method.encoder.patch_size, dataset.channels

    def pixels(hidden: Masking) -> Tensor:
        return pixel_mask(hidden.mask, p, channels)

    fit = dataset.split("train", N_FIT, generator).images.flatten(1)
    choose = dataset.split("val", N_CHOOSE, generator).images.flatten(1)
    mean, mask = fit.mean(0), pixels(masking)
    hidden = pixels(method.masking(len(choose), generator))
    covariance = fitted_covariance(fit - mean, choose - mean, hidden)
    x = batch.images.flatten(1) - mean
    best = solve_masked_only(covariance, method.mask_ratio, p, channels=channels)
    places = torch.zeros(len(x), method.encoder.num_patches, prediction.shape[2])
    index = masking.ids_masked[..., None].expand_as(prediction)
    painted = unpatchify(places.to(x).scatter(1, index, prediction), p).flatten(1)
    errors = {
        "masked": masked_error(painted - mean, x, mask),
        "linear": masked_error(linear_guess(covariance, x, mask), x, mask),
        "linear_mae": masked_error((x * (1 - mask)).double() @ best.weights, x, mask),
    }
    return {"gain": 1 - errors["masked"] / errors["linear"], **errors}
