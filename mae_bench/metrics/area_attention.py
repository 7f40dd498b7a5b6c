"""Where the patches of a planted area look: at their own area, or at the global one."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.methods import Method, ViTMethod
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.decoder import Decoder
from mae_bench.models.recording import record

IMAGES = 500


def advantage(
    attention: Float[Tensor, "n q k"],
    wanted: Bool[Tensor, "n q k"],
    asking: Bool[Tensor, "n q"],
) -> float:
    """Attention on the wanted keys, between uniform attention (0) and all of it (1).

    Σ_q (a_q - u_q) / Σ_q (1 - u_q), with a_q the attention of query q on its wanted
    keys and u_q their share of the keys, over the queries that ask and have such a key.

    Args:
        attention: Rows sum to 1.
        wanted: The keys that a query should look at.
        asking: The queries that count.

    Returns:
        At most 1, below 0 if the keys are shunned; NaN if no query asks, or all keys
        are wanted.
    """
    u = wanted.double().mean(2)
    a = (attention * wanted).double().sum(2)
    count = asking & wanted.any(2)
    return ((a - u)[count].sum() / (1 - u)[count].sum()).item()


def diversity(attention: Float[Tensor, "n q k"]) -> float:
    """Mean total variation ½ Σ_k |A_qk - A_q'k| of two queries of an image.

    Returns:
        In [0, 1]; 0 if all queries look alike.
    """
    distance = torch.cdist(attention, attention, p=1.0) / 2
    n, q, _ = distance.shape
    return (distance.double().sum() / (n * q * (q - 1))).item()


def read(
    attention: Float[Tensor, "n q k"],
    queries: Int64[Tensor, "n q"],
    keys: Int64[Tensor, "n k"],
) -> dict[str, float]:
    """The variants of one layer.

    Args:
        attention: Of patches to patches; its rows need not sum to 1.
        queries: Area of each query; 0 is the global one.
        keys: Area of each key.
    """
    patches = attention.sum(2, keepdim=True)
    share = attention / patches
    own = queries[:, :, None] == keys[:, None]
    to_global = (keys == 0)[:, None].expand_as(own)
    local = queries > 0
    return {
        "global": advantage(share, own, ~local),
        "local": advantage(share, own, local),
        "local_to_global": advantage(share, to_global, local),
        "diversity": diversity(share),
        "patches": patches.double().mean().item(),
    }


@metric(
    reads="encoder",
    direction="none",
    unit="share of attention",
    version=1,
    source="Huang et al. 2025, arXiv 2403.02233: area attention, attention diversity",
)
def area_attention(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Area attention and diversity of the last layer of encoder and decoder.

    ``decoder/``, of MAE: masked patches look at visible ones, under its own masks.
    ``encoder/``: patches of whole images look at each other. Maps are means over heads;
    class and mask tokens are left out of them, and the rest is scaled to a sum of 1.

    Args:
        method: A ViT.
        dataset: The world whose areas are known.
        batch: Images; the first 500 are looked at.
        generator: Draws the masks.

    Returns:
        ``global``, ``local``: advantage of the own area over uniform attention, for
        queries of that kind of area; 0 is uniform, 1 all. ``local_to_global``: that of
        the global area, for local queries. ``diversity`` in [0, 1]: mean total
        variation between the maps of two queries. ``patches``: the share of the
        attention that was on the patches at all.

    Raises:
        Skip: Another world, other patches, or a network without attention.
    """
    if not isinstance(dataset, PlantedAreas):
        raise Skip(f"{type(dataset).__name__} has no planted areas")
    if not isinstance(method, ViTMethod):
        raise Skip(f"{type(method).__name__} has no attention")
    if method.encoder.patch_size != dataset.patch_size:
        raise Skip(
            f"patches of {method.encoder.patch_size} pixels are not the world's of "
            f"{dataset.patch_size}"
        )
    batch = batch.rows(slice(IMAGES))
    area = dataset.areas[batch.latents["level_0"].argmax(1)]
    found = _encoder(method, batch, area)
    if isinstance(method, MAE) and isinstance(method.decoder, Decoder):
        blocks = method.decoder.blocks
        found |= _decoder(method, blocks, batch, area, generator)
    if not found:
        raise Skip(f"{type(method).__name__} has no layer of attention")
    return found


def _encoder(
    method: ViTMethod, batch: Batch, area: Int64[Tensor, "n l"]
) -> dict[str, float]:
    """Patches of whole images; nothing for an encoder without blocks."""
    if not method.encoder.blocks:
        return {}
    with record(method.encoder.blocks) as recording:
        method.encoder(batch.images)
    patches = area.shape[1]
    attention = recording.weights[-1].mean(1)[:, -patches:, -patches:]
    return {f"encoder/{k}": v for k, v in read(attention, area, area).items()}


def _decoder(
    method: MAE,
    blocks: nn.ModuleList,
    batch: Batch,
    area: Int64[Tensor, "n l"],
    generator: torch.Generator,
) -> dict[str, float]:
    """Masked patches, which alone ask in the last block, at visible ones.

    Nothing for a decoder behind a bottleneck, which is shown no patches.
    """
    if method.encoder.bottleneck:
        return {}
    masking = method.masking(len(batch), generator)
    tokens = method.forward_encoder(batch.images, masking)
    with record(blocks) as recording:
        method.forward_decoder(tokens, masking)
    visible = masking.ids_keep.shape[1]
    first = tokens.shape[1] - visible  # after the class token
    attention = recording.weights[-1].mean(1)[:, :, first : first + visible]
    areas = [area.gather(1, ids) for ids in (masking.ids_masked, masking.ids_keep)]
    return {f"decoder/{k}": v for k, v in read(attention, *areas).items()}
