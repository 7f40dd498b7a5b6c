"""Held-out accuracy of weighted nearest neighbours: classes without any fitting."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from mae_bench.metrics import Headline, Labels, check_splits, count_classes, metric

NEIGHBOURS = (20, 200)
TEMPERATURE = 0.07
CHUNK = 1024


def vote(
    similarity: Float[Tensor, "n m"], onehot: Float[Tensor, "m c"], k: int
) -> Int64[Tensor, " n"]:
    """The class with the largest sum of ``exp(similarity / T)`` over k neighbours.

    Ties with the k-th neighbour (within 1e-6) vote too, so that no answer depends on
    the order of the images.
    """
    nearest = similarity.topk(k, dim=1).values
    weights = ((similarity - nearest[:, :1]) / TEMPERATURE).exp_()
    weights.masked_fill_(similarity < nearest[:, -1:] - 1e-6, 0.0)
    return (weights @ onehot).argmax(1)


@metric(
    reads="labels",
    direction="max",
    unit="accuracy",
    lower=0.0,
    upper=1.0,
    best=1.0,
    version=1,
    source="Wu et al. 2018, arXiv 1805.01978: cosine, weights exp(s / T), T = 0.07",
    headlines=(Headline("k20"),),
)
def knn_probe(train: Labels, val: Labels, test: Labels) -> dict[str, float]:
    """How often an image's neighbours in feature space are of its class.

    Features keep their mean: a large common offset makes all weights alike, and in
    the larger neighbourhood rare classes are outvoted.

    Args:
        train: Features ``[n, d]``, labels ``[n]``; the neighbours.
        val: Not used, since nothing is chosen.
        test: Is reported.

    Returns:
        ``{"k20": accuracy, "k200": accuracy}`` in ``[0, 1]``; k is at most the number
        of training images.

    Raises:
        ValueError: NaN features, fewer than 10 images in a split, fewer than two
            training images a class, or a class that is not in ``train``.

    >>> from mae_bench.metrics import Split
    >>> labels = torch.arange(20) % 2
    >>> split = Split(torch.eye(2)[labels], labels)
    >>> knn_probe(split, split, split)  # in earnest, three splits
    {'k20': 1.0, 'k200': 1.0}
    """
    check_splits(train, val, test)
    onehot = one_hot(train.target, count_classes(train, val, test)).float()
    bank = normalize(train.features.float(), dim=1)
    right = dict.fromkeys(NEIGHBOURS, 0.0)
    rows = zip(
        *(torch.split(t, CHUNK) for t in (test.features, test.target)), strict=True
    )
    with torch.autocast(bank.device.type, enabled=False):
        for features, labels in rows:
            similarity = normalize(features.float(), dim=1) @ bank.T
            for k in NEIGHBOURS:
                guess = vote(similarity, onehot, min(k, len(bank)))
                right[k] += float(torch.sum(guess == labels))
    return {f"k{k}": hits / len(test.target) for k, hits in right.items()}
