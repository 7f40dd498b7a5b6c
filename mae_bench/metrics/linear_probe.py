"""Held-out accuracy of multinomial logistic regression on frozen features."""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot, pad

from mae_bench.metrics import Headline, Labels, count_classes, metric, standardised
from mae_bench.metrics.linear_r2 import principal_axes

# Inverse strength of the penalty, strongest first, so that ties shrink more.
CS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
MAX_ITER = 200


def minimise(
    loss: Callable[[Tensor], tuple[Tensor, Tensor]],
    start: Tensor,
    scale: Tensor,
    decay: Tensor,
    max_iter: int,
) -> Tensor:
    """Lower ``loss(w) + decay w² / 2`` by L-BFGS on ``w / scale``.

    Args:
        loss: Weights -> its value and its gradient.
        start: Weights to start from.
        scale: Of each weight.
        decay: Of each weight.
        max_iter: Steps.
    """
    scaled = start / scale
    optimizer = torch.optim.LBFGS(
        [scaled],
        max_iter=max_iter,
        tolerance_grad=1e-6,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        weights = scale * scaled
        value, gradient = loss(weights)
        scaled.grad = scale * (gradient + decay * weights)
        return (decay * weights.square()).sum() / 2 + value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return scale * scaled


def descend(
    x: Float64[Tensor, "n d"],
    onehot: Float64[Tensor, "n c"],
    start: Float64[Tensor, "d c"],
    C: float,
) -> Float64[Tensor, "d c"]:
    """Minimise ``C sum_i loss_i + |W|² / 2`` from ``start`` by L-BFGS.

    Each row of W is scaled by the root of its curvature at equal class probabilities,
    ``mean(x²) / c + 1 / (C n)``: on uncorrelated columns a fifth of the steps.

    Args:
        x: Features; the last one is 1 and its weight, the bias, is not penalised.
        onehot: Classes.
        start: Weights to start from.
        C: Inverse strength of the penalty, as in scikit-learn.

    Returns:
        Weights, the bias last.
    """
    n, classes = onehot.shape
    decay = torch.full_like(x[:1].T, 1 / (C * n))
    decay[-1] = 0
    scale = (x.square().mean(0)[:, None] / classes + decay).rsqrt()

    def loss(weight: Tensor) -> tuple[Tensor, Tensor]:
        log_p = log_softmax(x @ weight, dim=1)
        return -(onehot * log_p).sum() / n, x.T @ (log_p.exp() - onehot) / n

    return minimise(loss, start, scale, decay, MAX_ITER)


@metric(
    reads="labels",
    direction="max",
    unit="accuracy",
    lower=0.0,
    upper=1.0,
    best=1.0,
    version=1,
    source="He et al. 2022, arXiv 2111.06377; here L-BFGS, standardised, C from val",
    headlines=(Headline(),),
)
def linear_probe(train: Labels, val: Labels, test: Labels) -> dict[str, float]:
    """How well a linear classifier reads the class from the features.

    Features are standardised and turned to their principal axes (which changes
    nothing but the speed); the penalty is the one of ``CS`` that is best on ``val``.
    Each fit starts from the last, stronger one; the problem is convex and nothing is
    random.

    Args:
        train: Features ``[n, d]``, labels ``[n]``; fits the classifier.
        val: Chooses C.
        test: Is reported.

    Returns:
        ``{"": accuracy, "val": that on the validation images}`` in ``[0, 1]``; chance
        is the share of the largest class.

    Raises:
        ValueError: NaN features, fewer than 10 images in a split, fewer than two
            training images a class, or a class that is not in ``train``.

    >>> from mae_bench.metrics import Split
    >>> labels = torch.arange(20) % 2
    >>> split = Split(torch.eye(2)[labels], labels)
    >>> linear_probe(split, split, split)  # in earnest, three splits
    {'': 1.0, 'val': 1.0}
    """
    x, x_val, x_test = standardised(train, val, test)
    classes = count_classes(train, val, test)
    axes = principal_axes(x)[1]
    x, x_val, x_test = (pad(h @ axes, (0, 1), value=1.0) for h in (x, x_val, x_test))
    onehot = one_hot(train.target, classes).double()
    weight = x.new_zeros(x.shape[1], classes)
    best, chosen = -1.0, weight
    for C in CS:
        weight = descend(x, onehot, weight, C)
        accuracy = float(((x_val @ weight).argmax(1) == val.target).double().mean())
        if accuracy > best:
            best, chosen = accuracy, weight
    right = float(((x_test @ chosen).argmax(1) == test.target).double().mean())
    return {"": right, "val": best}
