"""How far a token predictor is from belief propagation, and from its filtered kin."""

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.methods.token_mae import TokenMAE
from mae_bench.metrics import Skip, metric
from mae_bench.models.masking import Masking
from mae_bench.oracles.filtered_tokens import (
    cross_entropy,
    divergence,
    filters,
    token_law,
)


@metric(
    reads="encoder",
    direction="none",
    lower=0.0,
    version=1,
    unit={"share": "share of what the root tells", "*": "nats a masked token"},
    source="Garnier-Brun et al. 2025, arXiv 2408.15138; filtered decoders are ours",
)
def filtered_loss(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Cross-entropies of masked tokens, and divergences from the exact decoders.

    Args:
        method: A ``TokenMAE``.
        dataset: The ``RandomHierarchy`` that it learned from.
        batch: Images, a mask for each.
        generator: Draws the masks.

    Returns:
        In nats a masked token: ``loss``, the network's; for each decoder of
        ``filters``, as ``full``, its ``exact_full``, and ``kl_full``, KL of it and the
        network. ``share``: KL of Bayes and the network over that of Bayes and the
        decoder without the root; 0 of a network that is exact, 1 of one that loses as
        much as one that does not know how the root ties the image together.

    Raises:
        Skip: Another method or world.
    """
    if not isinstance(method, TokenMAE):
        raise Skip(f"{type(method).__name__} predicts no tokens")
    if not isinstance(dataset, RandomHierarchy):
        raise Skip(f"{type(dataset).__name__} has no levels that could be filtered")
    masking = method.masking(len(batch), generator)
    mask, tokens = masking.mask, method.tokens(batch.images)
    guess = log_guess(method, batch, masking)
    laws = {
        name: token_law(dataset, batch.images, mask, cut=cut)
        for name, cut in filters(dataset).items()
    }
    found = {"loss": cross_entropy(guess.exp(), tokens, mask)}
    for name, law in laws.items():
        found[f"exact_{name}"] = cross_entropy(law, tokens, mask)
        found[f"kl_{name}"] = divergence(law, guess, mask)
    blind = divergence(laws["full"], laws["cut_1"].log(), mask)
    return found | {"share": found["kl_full"] / blind}


def log_guess(
    method: TokenMAE, batch: Batch, masking: Masking
) -> Float[Tensor, "n l v"]:
    """The network's log P(token) of each masked patch, and 0 of the visible ones."""
    told = method.logits(batch.images, masking).double().log_softmax(2)
    guess = told.new_zeros(len(batch), masking.mask.shape[1], told.shape[2])
    return guess.scatter_(1, masking.ids_masked[..., None].expand_as(told), told)
