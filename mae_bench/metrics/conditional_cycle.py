"""Do a token predictor's conditionals fit one joint law? The rectangle test."""

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy, paint
from mae_bench.methods import Method
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import Masking
from mae_bench.models.vit import patchify
from mae_bench.oracles.filtered_tokens import token_law

IMAGES = 500
# Log-odds of what hardly ever happens are of any size, and matter to nobody.
LIKELY = 0.02


@metric(
    reads="encoder",
    direction="none",
    lower=0.0,
    version=1,
    unit={"share": "share of the log-odds ratio", "*": "nats a rectangle"},
    source="Arnold & Press 1989: compatible conditionals; Shaikh et al. 2026, arXiv "
    "2605.16378: of masked predictors",
)
def conditional_cycle(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """How far the two ways round a rectangle of two tokens' values differ.

    If P(x_i | x_j) and P(x_j | x_i), given the same visible rest, come from one joint
    law, both have the log-odds ratio of the joint: of values a, a' and b, b',

        log P(a|b) P(a'|b') / P(a'|b) P(a|b') = log P(b|a) P(b'|a') / P(b'|a) P(b|a').

    Of each image one visible patch j and one masked patch i trade places: each is
    painted with each texture, without noise, and the other is asked for.

    Args:
        method: A ``TokenMAE``.
        dataset: The ``RandomHierarchy`` that it learned from.
        batch: Images; the first 500 are looked at.
        generator: Draws the masks.

    Returns:
        ``network``: mean absolute difference of the two sides, over the rectangles
        whose eight conditionals are all 0.02 or more by belief propagation; ``exact``:
        that of belief propagation itself, 0 but for rounding and for textures that are
        misread; ``odds``: its mean absolute log-odds ratio; ``share``: ``network`` over
        ``odds``.

    Raises:
        Skip: Another method or world, or no such rectangle.
    """
    if not isinstance(method, TokenMAE):
        raise Skip(f"{type(method).__name__} predicts no tokens")
    if not isinstance(dataset, RandomHierarchy):
        raise Skip(f"the tokens' law of {type(dataset).__name__} is not known")
    batch = batch.rows(slice(IMAGES))
    there = method.masking(len(batch), generator)
    back = Masking(
        torch.cat([there.ids_masked[:, :1], there.ids_keep[:, 1:]], 1),
        torch.cat([there.ids_keep[:, :1], there.ids_masked[:, 1:]], 1),
    )
    guess, law = _conditionals(method, dataset, batch, there)
    turned = [x.transpose(1, 2) for x in _conditionals(method, dataset, batch, back)]
    likely = [torch.stack(corners(x)).amin(0) >= LIKELY for x in (law, turned[1])]
    counts = likely[0] & likely[1]
    if not counts.any():
        raise Skip(f"no rectangle of tokens has conditionals of {LIKELY} or more")
    odds = odds_ratio(law.log())
    sides = {
        "network": odds_ratio(guess) - odds_ratio(turned[0]),
        "exact": odds - odds_ratio(turned[1].log()),
        "odds": odds,
    }
    found = {name: float(x[counts].abs().mean()) for name, x in sides.items()}
    return found | {"share": found["network"] / found["odds"]}


def _conditionals(
    method: TokenMAE, world: RandomHierarchy, batch: Batch, masking: Masking
) -> tuple[Float64[Tensor, "n v v"], Float64[Tensor, "n v v"]]:
    """The network's log P(x_i | x_j), and P(x_i | x_j); x_j down, x_i across.

    j is the first visible patch of each image, i the first masked one.
    """
    rows = torch.arange(len(batch), device=batch.images.device)
    j, i = masking.ids_keep[:, 0], masking.ids_masked[:, 0]
    p = method.encoder.patch_size
    patches = patchify(batch.images, p)
    patches = patches.view(*patches.shape[:2], p, p)
    guess, law = [], []
    for texture in world.textures:
        patches = patches.index_put((rows, j), texture.to(patches))
        images = paint(patches)
        guess.append(method.logits(images, masking)[:, 0].double().log_softmax(1))
        law.append(token_law(world, images, masking.mask)[rows, i])
    return torch.stack(guess, 1), torch.stack(law, 1)


def corners(table: Float64[Tensor, "n v v"]) -> tuple[Tensor, ...]:
    """Of every two rows and two columns: both on the diagonal, then both off it.

    Returns:
        Four tensors ``[n, pairs, pairs]``.
    """
    one, other = torch.triu_indices(table.shape[1], table.shape[1], 1)
    upper, lower = table[:, one], table[:, other]
    return upper[..., one], lower[..., other], upper[..., other], lower[..., one]


def odds_ratio(logs: Float64[Tensor, "n v v"]) -> Float64[Tensor, "n pairs pairs"]:
    """Log-odds ratio of every rectangle.

    >>> table = torch.tensor([[[0.4, 0.1], [0.1, 0.4]]], dtype=torch.float64)
    >>> odds_ratio(table.log()).exp().round().item()
    16.0
    """
    a, d, b, c = corners(logs)
    ratio: Tensor = a + d - b - c
    return ratio
