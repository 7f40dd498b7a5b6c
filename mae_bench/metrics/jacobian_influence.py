"""Jacobian influence: from how far does what a network says of a patch come?"""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method, ViTMethod
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric

IMAGES = 32
# Directions that are pushed forward at a time.
CHUNK = 64


class Influence(NamedTuple):
    """How strongly output i of an image answers to its input j.

    Args:
        norm: |J_ij|, the Frobenius norm of d out_i / d in_j.
        variation: E |J - E J|² / E |J|² over images, unbiased.
    """

    norm: Float[Tensor, "n i j"]
    variation: float


def influence(
    function: Callable[[Tensor], Tensor], inputs: Float[Tensor, "n j v"]
) -> Influence:
    """|J_ij| of a function from ``[n, j, v]`` to ``[n, i, c]``, image by image.

    Forward differentiation, one direction of the inputs after the other, in all images
    at once: none of them may look at another.
    """
    n, places, values = inputs.shape
    direction = torch.arange(places * values, device=inputs.device)

    def column(index: Tensor) -> tuple[Tensor, Tensor]:
        one = (direction == index).to(inputs.dtype).view(1, places, values)
        J = jvp(function, (inputs,), (one.expand_as(inputs),))[1]
        return J.square().sum(-1), J.mean(0).square().sum()

    # The other kernels have no forward derivative. The first use of jvp makes torch
    # compile scripts of its own, and warn that one should not.
    with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.script", module="torch")
        squares, common = vmap(column, chunk_size=CHUNK)(direction)
    total = squares.sum() / n
    spread = (total - common.sum()) * n / max(1, n - 1)
    norm = squares.view(places, values, n, -1).sum(1).sqrt().permute(1, 2, 0)
    return Influence(norm, float(spread / total))


def centres(ids: Int64[Tensor, "n i"], grid: int, size: int) -> Float[Tensor, "n i 2"]:
    """Row and column of the middles of squares of ``size`` pixels."""
    return (torch.stack([ids // grid, ids % grid], dim=-1) + 0.5) * size


def describe(
    norm: Float[Tensor, "n i j"],
    outputs: Float[Tensor, "n i 2"],
    inputs: Float[Tensor, "n j 2"],
    visible: Bool[Tensor, "n j"],
    patch_size: int,
) -> dict[str, float]:
    """The targets ``radius`` to ``far_share`` of ``jacobian_influence``.

    Args:
        norm: |J_ij|.
        outputs: Where the outputs stand, in pixels.
        inputs: Where the inputs stand.
        visible: Which of them are shown.
        patch_size: In pixels.
    """
    distance = (outputs[:, :, None] - inputs[:, None]).norm(dim=-1)
    patch = [(where / patch_size).floor() for where in (outputs, inputs)]
    steps = (patch[0][:, :, None] - patch[1][:, None]).abs().amax(-1)
    shown = visible[:, None].expand_as(norm)
    total, radius = norm.sum(), (norm * distance).sum() / norm.sum()
    found = {
        "radius": radius,
        "reach": radius / distance[shown].mean(),
        "out_of_patch_share": (norm * (steps > 0)).sum() / total,
        "far_share": (norm * (steps > 1)).sum() / total,
        "far_share_even": (steps[shown] > 1).float().mean(),
    }
    return {name: float(value) for name, value in found.items()}


def border(side: int, patch_size: int, device: torch.device) -> Bool[Tensor, " pixels"]:
    """Pixels on the rim of their patch, row by row.

    >>> border(6, 3, torch.device("cpu")).view(6, 6).int()[:2].tolist()
    [[1, 1, 1, 1, 1, 1], [1, 0, 1, 1, 0, 1]]
    """
    place = torch.arange(side, device=device) % patch_size
    rim = (place == 0) | (place == patch_size - 1)
    return (rim[:, None] | rim).flatten()


class Pixels(NamedTuple):
    """Images as a list of pixels, and where these stand."""

    values: Float[Tensor, "n j c"]
    where: Float[Tensor, "n j 2"]
    patch: Int64[Tensor, " j"]

    @classmethod
    def of(cls, images: Float[Tensor, "n c h w"], patch_size: int) -> "Pixels":
        """The pixels of square images, row by row."""
        n, _, side, _ = images.shape
        ids = torch.arange(side**2, device=images.device)
        row, column = ids // side // patch_size, ids % side // patch_size
        where = centres(ids[None], side, 1).expand(n, -1, -1)
        values = images.flatten(2).transpose(1, 2)
        return cls(values, where, row * (side // patch_size) + column)


def of_encoder(method: ViTMethod, images: Float[Tensor, "n c h w"]) -> dict[str, float]:
    """Patch tokens after the final norm, with respect to the pixels."""
    vit, n = method.encoder, len(images)
    free, pixels = int(vit.cls_token is not None), Pixels.of(images, vit.patch_size)

    def tokens(values: Tensor) -> Tensor:
        seen: Tensor = vit(values.transpose(1, 2).reshape(images.shape))
        return seen[:, free:]

    norm, variation = influence(tokens, pixels.values)
    every = torch.arange(vit.num_patches, device=images.device).expand(n, -1)
    outputs = centres(every, vit.grid_size, vit.patch_size)
    shown = torch.ones(pixels.where.shape[:2], dtype=torch.bool, device=images.device)
    found = describe(norm, outputs, pixels.where, shown, vit.patch_size)
    found["variation"] = variation
    rim = border(images.shape[-1], vit.patch_size, images.device)
    if not rim.all():
        share = norm[..., rim].sum() / norm.sum()
        found["boundary_share"] = float(share / rim.float().mean())
    return {f"encoder/{name}": value for name, value in found.items()}


def of_reconstruction(
    method: MAE, images: Float[Tensor, "n c h w"], generator: torch.Generator
) -> dict[str, float]:
    """Asked patches with respect to the pixels, and to the visible patches' tokens."""
    vit, n = method.encoder, len(images)
    masking = method.masking(n, generator)
    pixels, grid, p = Pixels.of(images, vit.patch_size), vit.grid_size, vit.patch_size
    outputs = centres(method.asked(masking), grid, p)

    def reconstruct(values: Tensor) -> Tensor:
        seen = values.transpose(1, 2).reshape(images.shape)
        return method.forward_decoder(method.forward_encoder(seen, masking), masking)

    norm = influence(reconstruct, pixels.values).norm
    shown = masking.mask[:, pixels.patch] == 0
    whole = describe(norm, outputs, pixels.where, shown, p)
    found = {f"reconstruction/{name}": value for name, value in whole.items()}
    if vit.bottleneck:
        return found  # the decoder is shown nothing that has a place

    tokens = method.forward_encoder(images, masking)
    free = tokens.shape[1] - masking.ids_keep.shape[1]

    def decode(placed: Tensor) -> Tensor:
        known = torch.cat([tokens[:, :free], placed], dim=1)
        return method.forward_decoder(known, masking)

    norm = influence(decode, tokens[:, free:]).norm
    inputs = centres(masking.ids_keep, grid, p)
    shown = torch.ones(inputs.shape[:2], dtype=torch.bool, device=images.device)
    second = describe(norm, outputs, inputs, shown, p)
    return found | {f"decoder/{name}": value for name, value in second.items()}


@metric(
    reads="encoder",
    direction="none",
    unit={
        "*radius": "pixels",
        "*reach": "share of even influence's distance",
        "*": "share of the influence",
    },
    lower=0.0,
    version=1,
    source="Bisulco et al. 2025, arXiv 2508.15404, the radius of the Jacobian",
)
def jacobian_influence(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Where the pixels stand that a patch's representation or reconstruction feels.

    |J_ij| = ‖d out_i / d in_j‖_F, with d_ij the distance in pixels of the middle of
    patch i to that of pixel (or visible patch) j. Even a patch that feels itself alone
    has a radius above 0 to its pixels.

    Args:
        method: Anything with the ViT as encoder.
        dataset: Not looked at.
        batch: Images; the first 32 are used.
        generator: Draws the masks.

    Returns:
        ``encoder/``: patch tokens after the final norm, of whole images, with respect
        to pixels. Of a masked autoencoder, under its own masks: ``reconstruction/``,
        asked patches with respect to visible pixels; ``decoder/``, the same with
        respect to the encoder's tokens of visible patches.

        ``radius``: Σ |J| d / Σ |J|, in pixels. ``reach``: the same over that of even
        influence. ``out_of_patch_share``, ``far_share``: share of Σ |J| from other
        patches, and from beyond the eight neighbours; ``far_share_even``: the latter
        if influence were even. ``variation`` (encoder), in [0, 1]: how much of E |J|²
        changes with the image, 0 of a linear map. ``boundary_share`` (encoder, patches
        of 3 pixels or more): share of Σ |J| on the rims of patches, over the share of
        pixels that are there.

    Raises:
        Skip: No ViT.
    """
    del dataset
    if not isinstance(method, ViTMethod):
        raise Skip(f"{type(method).__name__} has no patch tokens")
    # What was made in inference mode cannot be differentiated.
    with torch.inference_mode(False), torch.no_grad():
        images = batch.images[:IMAGES].clone()
        found = of_encoder(method, images)
        if isinstance(method, MAE):
            found |= of_reconstruction(method, images, generator)
    return found
