"""How far the best predictors' parameters are from a chain's, up to names of states."""

from itertools import permutations

import torch
from jaxtyping import Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.hidden_chain import STATES, HiddenChain
from mae_bench.methods import Method
from mae_bench.methods.chain_predictor import ChainPredictor, task
from mae_bench.metrics import Skip, metric

# Nats, or units of squared error, within which predictors are as good as the best.
AS_GOOD = 1e-5
Parameters = tuple[Float64[Tensor, "k k"], Float64[Tensor, "k c"]]


def distances(
    found: Parameters, true: Parameters, *, symbols: bool
) -> tuple[float, float]:
    """Of transitions and of emissions, states named as emissions fit best.

    Of probabilities it is the mean total variation of the rows, of means the mean
    length of the error over the mean length of the true ones.
    """
    tried = []
    for order in permutations(range(STATES)):
        names = list(order)
        T, E = found[0][names][:, names], found[1][names]
        if symbols:
            emission = (E - true[1]).abs().sum(1).mean() / 2
        else:
            error, length = (E - true[1]).norm(dim=1), true[1].norm(dim=1)
            emission = error.mean() / length.mean()
        transition = (T - true[0]).abs().sum(1).mean() / 2
        tried.append((emission.item(), transition.item()))
    emission_error, transition_error = min(tried)
    return transition_error, emission_error


@metric(
    reads="encoder",
    direction="min",
    lower=-1.0,
    best=0.0,
    version=1,
    unit={
        "excess": "nats",
        "as_good": "descents",
        "*": "total variation, or share of a length",
    },
    source="Liu et al. 2022, arXiv 2202.09305",
)
def parameter_error(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Errors of T and of the emissions in the worst of the best predictors.

    Where parameters are identified, all predictors as good as the best have the same.

    Args:
        method: A ``ChainPredictor``.
        dataset: The ``HiddenChain`` that it was fitted to.
        batch: Held-out images.
        generator: Not used.

    Returns:
        ``transition`` and ``emission``, 0 if right; see ``distances``. ``excess``: mean
        loss of that predictor on the batch, less the true parameters'. ``as_good``:
        how many descents came as low as the best one.

    Raises:
        Skip: Another method or world.
    """
    del generator
    if not isinstance(method, ChainPredictor):
        raise Skip(f"{type(method).__name__} has no parameters of a chain")
    if not isinstance(dataset, HiddenChain):
        raise Skip(f"{type(dataset).__name__} is no hidden chain")
    true = (dataset.transition, dataset.emission)
    symbols = dataset.emissions == "symbols"
    as_good = int((method.losses <= method.losses.min() + AS_GOOD).sum())
    ends = [
        (method.transitions[i].cpu(), method.emissions_found[i].cpu())
        for i in range(as_good)
    ]
    errors = [distances(end, true, symbols=symbols) for end in ends]
    worst = max(range(as_good), key=lambda i: errors[i][1])
    transition, emission = errors[worst]
    x = batch.images.flatten(2).transpose(1, 2).double().cpu()
    loss = task(x[:, : method.tokens], method.emissions)
    return {
        "transition": transition,
        "emission": emission,
        "excess": (loss(*ends[worst]) - loss(*true)).item(),
        "as_good": float(as_good),
    }
