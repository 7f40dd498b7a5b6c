"""How often two patches of one token are of images of different classes."""

import torch
from jaxtyping import Int64
from torch import Tensor
from torch.nn.functional import one_hot

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.cluster_mim import ClusterMIM
from mae_bench.metrics import Skip, metric


def mixing(tokens: Int64[Tensor, "n l"], labels: Int64[Tensor, " n"]) -> float:
    """1 - Σ_t p(t) Σ_c p(c | t)², of two patches drawn with the same token.

    >>> mixing(torch.tensor([[0, 0], [1, 1]]), torch.tensor([0, 1]))
    0.0
    >>> mixing(torch.tensor([[0, 1], [0, 1]]), torch.tensor([0, 1]))
    0.5
    """
    token, label = one_hot(tokens).double(), one_hot(labels).double()
    joint = torch.einsum("nlt,nc->tc", token, label)
    number = joint.sum(1).clamp_min(1)
    alike = (joint.square().sum(1) / number).sum() / joint.sum()
    return 1 - alike.item()


@metric(
    reads="encoder",
    direction="min",
    lower=0.0,
    upper=1.0,
    best=0.0,
    version=1,
    unit="share of links",
    source="Du et al. 2024, arXiv 2407.09087: links of the mask graph between classes; "
    "their TCAS could not be read, this is our reading of it",
)
def token_mixing(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Share of the links that tokens make which are between classes, without training.

    Args:
        method: A ``ClusterMIM``, whose tokens are looked at.
        dataset: Not looked at.
        batch: Labelled images.
        generator: Not used.

    Returns:
        ``mixing`` in [0, 1): 0 if no token is in two classes; of tokens that have
        nothing to do with k classes of the same size 1 - 1/k.

    Raises:
        Skip: Another method, or images without labels.
    """
    del dataset, generator
    if not isinstance(method, ClusterMIM):
        raise Skip(f"{type(method).__name__} has no tokens as targets")
    if batch.labels is None:
        raise Skip("there are no classes that tokens could mix")
    return {"mixing": mixing(method.tokenise(batch).cpu(), batch.labels.cpu())}
