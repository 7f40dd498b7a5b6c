"""Attention: how far, how diversely and at what rank do patches read from patches?"""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method, ViTMethod
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.decoder import Decoder
from mae_bench.models.masking import Masking
from mae_bench.models.recording import record

# In the decoder, so many masks are each laid over so many images.
MASKS, IMAGES = 16, 16


def rank_shares(A: Float[Tensor, "*n q k"]) -> dict[str, Tensor]:
    """``erank`` and ``rank99`` of matrices, each over min(q, k), the most they can be.

    erank = exp(H(σ / Σ σ)); rank99 is the least k with Σ_{i<=k} σ_i² >= 0.99 Σ σ_i².

    >>> found = rank_shares(torch.eye(4))
    >>> round(found["erank"].item(), 4), found["rank99"].item()
    (1.0, 1.0)
    """
    sigma = torch.linalg.svdvals(A.double())
    p = sigma / sigma.sum(-1, keepdim=True)
    entropy = torch.special.entr(p).sum(-1)
    energy = sigma.square().cumsum(-1)
    fewer = (energy < 0.99 * energy[..., -1:]).sum(-1)
    most = sigma.shape[-1]
    return {
        "erank": (entropy.exp() / most).mean(),
        "rank99": ((fewer + 1) / most).mean(),
    }


def diversity(A: Float[Tensor, "n heads q k"]) -> Float[Tensor, ""]:
    """Mean of KL(A_h ‖ A_h') over queries and ordered pairs of heads, in nats.

    NaN of one head.
    """
    heads = A.shape[1]
    log = A.clamp_min(torch.finfo(A.dtype).tiny).log()
    own = (A * log).sum(-1).mean() * heads**2
    across = torch.einsum("nhqk,ngqk->nq", A, log).mean()
    # A head has no divergence from itself: only pairs of two count below.
    return (own - across) / (heads * (heads - 1)) if heads > 1 else own * math.nan


def agreement(A: Float[Tensor, "masks images heads q k"]) -> Float[Tensor, ""]:
    """Mean cosine, over pairs of images under one mask, of a query's rows of A.

    It is 1 if attention does not look at the image, be it driven by position or even.
    """
    unit = torch.nn.functional.normalize(A, dim=-1)
    n = A.shape[1]
    return ((unit.sum(1).square().sum(-1) - n) / (n * (n - 1))).mean()


def distances(
    ids: Int64[Tensor, "n t"], others: Int64[Tensor, "n s"], grid: int, patch_size: int
) -> Float[Tensor, "n t s"]:
    """Euclidean distance between the centres of patches, in pixels."""
    a, b = (torch.stack([i // grid, i % grid], dim=-1).double() for i in (ids, others))
    distance: Tensor = (a[:, :, None] - b[:, None]).norm(dim=-1)
    return patch_size * distance


def describe(
    A: Float[Tensor, "n heads q k"], distance: Float[Tensor, "#n q k"]
) -> dict[str, float]:
    """The statistics of one layer.

    Args:
        A: From patches to patches; rows are made to sum to 1, those that read no patch
            at all, to float's resolution, as if they read all evenly.
        distance: Between them, in pixels; the same for all images if n is 1.
    """
    A = A.double()
    A = torch.where(A.sum(-1, keepdim=True) > 0, A, torch.ones_like(A))
    A = A / A.sum(-1, keepdim=True)
    reach = (A * distance[:, None]).sum(-1).mean()
    found = rank_shares(A) | {
        "distance": reach,
        "reach": reach / distance.mean(),
        "diversity": diversity(A),
    }
    return {name: float(value) for name, value in found.items()}


def of_encoder(method: ViTMethod, batch: Batch) -> list[dict[str, float]]:
    """Statistics of each layer on unmasked images, the class token left out."""
    vit = method.encoder
    with record(vit.blocks) as recording:
        vit(batch.images)
    free = int(vit.cls_token is not None)
    every = torch.arange(vit.num_patches, device=batch.images.device)[None]
    distance = distances(every, every, vit.grid_size, vit.patch_size)
    return [describe(A[:, :, free:, free:], distance) for A in recording.weights]


def of_decoder(
    method: MAE, batch: Batch, generator: torch.Generator
) -> list[dict[str, float]]:
    """Statistics of each layer: what asked patches read from patches with a place.

    None of fewer images than masks.
    """
    count, vit = min(IMAGES, len(batch) // MASKS), method.encoder
    if not count:
        return []
    one = method.masking(MASKS, generator)
    ids_keep, asked = (
        ids.repeat_interleave(count, 0) for ids in (one.ids_keep, one.ids_masked)
    )
    masking, images = Masking(ids_keep, asked), batch.images[: MASKS * count]
    with record(method.decoder.blocks) as recording:  # type: ignore[arg-type]
        method.forward_decoder(method.forward_encoder(images, masking), masking)
    ids, placed = method.asked(masking), ids_keep[:, : 0 if vit.bottleneck else None]
    keys = torch.cat([placed, ids], dim=1)
    # Before the patches stand the tokens without a place; the asked patches are last.
    free = recording.tokens[0].shape[1] - keys.shape[1]
    distance = distances(ids, keys, vit.grid_size, vit.patch_size)
    found = []
    for A in recording.weights:
        A = A[:, :, -ids.shape[1] :, free:]
        if A.shape[-1]:
            alike = agreement(A.view(MASKS, count, *A.shape[1:]))
            layer = describe(A, distance[..., : A.shape[-1]])
            found.append(layer | {"agreement": float(alike)})
    return found


def named(prefix: str, layers: list[dict[str, float]]) -> dict[str, float]:
    """``<prefix>/<layer>/<name>``, and ``<prefix>/<name>`` for the mean over layers."""
    names = layers[0] if layers else ()
    means = {n: sum(layer[n] for layer in layers) / len(layers) for n in names}
    each = {f"{i}/{n}": v for i, layer in enumerate(layers) for n, v in layer.items()}
    return {f"{prefix}/{n}": v for n, v in (means | each).items() if not math.isnan(v)}


@metric(
    reads="encoder",
    direction="none",
    unit={
        "*distance": "pixels",
        "*reach": "share of even attention's distance",
        "*diversity": "nats",
        "*agreement": "cosine",
        "*": "share of all directions",
    },
    lower=0.0,
    version=1,
    source="Raghu et al. 2021, arXiv 2108.08810; Xie et al. 2023, arXiv 2205.13543",
)
def attention(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Distance, diversity and rank of the attention between patches.

    Tokens without a place (the class token) are left out and the rows made to sum to 1
    again. The encoder is shown whole images; of the decoder of a masked autoencoder,
    under its own masks, the rows are what the asked patches read.

    Args:
        method: Anything with the ViT as encoder.
        dataset: Not looked at.
        batch: Images; the first 256 are used.
        generator: Draws the masks.

    Returns:
        ``encoder/<name>`` and ``decoder/<name>``, means over layers, and
        ``encoder/<layer>/<name>``, from layer 0. ``distance``: mean of
        Σ_k A_qk |pos_q - pos_k| in pixels. ``reach``: the same over that of even
        attention; 1 if even, 0 if each reads itself. ``diversity``: mean KL between
        heads, in nats, of two heads or more. ``erank``, ``rank99``: see
        ``rank_shares``; even attention has the least, 1 over the number of patches.
        ``agreement`` (decoder): cosine of a patch's attention in different images.

    Raises:
        Skip: No ViT, or one without blocks.
    """
    del dataset
    if not isinstance(method, ViTMethod):
        raise Skip(f"{type(method).__name__} has no attention")
    batch = Batch(batch.images[: MASKS * IMAGES])
    found = named("encoder", of_encoder(method, batch))
    if isinstance(method, MAE) and isinstance(method.decoder, Decoder):
        found |= named("decoder", of_decoder(method, batch, generator))
    if not found:
        raise Skip("a network without blocks has no attention")
    return found
