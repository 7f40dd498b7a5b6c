"""Does a linear map of the predicted part tell the class as well as Bayes?"""

import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.conditional_halves import ConditionalHalves, halves
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip, Split, metric
from mae_bench.metrics.linear_probe import linear_probe


def predicted(
    method: MAE, dataset: ConditionalHalves, batch: Batch, generator: torch.Generator
) -> dict[str, Tensor]:
    """What probes read, [n, 32] each: ψ as trained, ψ* and x1.

    Raises:
        Skip: The left half is not what the method masks.
    """
    prediction, _, masking = method.reconstruct(batch, generator)
    grid = method.encoder.grid_size
    hidden = masking.mask.view(-1, grid, grid)
    if not bool((hidden[..., : grid // 2] == 1).all() and hidden.mean() == 0.5):
        raise Skip("the masked part is not the left half; choose mask_family='left'")
    exact = method.target(dataset.expectation(batch.images), masking)
    return {
        "prediction": prediction.flatten(1),
        "exact": exact.flatten(1),
        "visible": halves(batch.images)[1],
    }


@metric(
    reads="encoder",
    direction="none",
    unit={"*_gap": "squared length", "*": "accuracy"},
    lower=0.0,
    version=1,
    source="Lee et al. 2021, arXiv 2008.01064: linear probe on ψ(x1), ε_CI, ε_pre",
)
def expectation_probe(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """Accuracy of linear probes on ψ(x1), ψ*(x1) and x1, beside the Bayes accuracy.

    Probes are fitted on as many fresh images as there are in the batch, choose their
    penalty on half as many and are reported on the batch.

    Args:
        method: An MAE that masks the left half.
        dataset: The world whose E[x2 | x1] is known.
        batch: Images to report on.
        generator: Draws the images to fit on.

    Returns:
        Accuracies in [0, 1]: ``prediction`` of ψ, the reconstruction of the masked
        half; ``exact`` of ψ* = E[x2 | x1]; ``visible`` of the pixels x1; ``bayes`` of
        the posterior P(y | x1). Squared lengths, summed over a half's pixels:
        ``ci_gap``, ε_CI²; ``pretraining_gap``, E |ψ - ψ*|².

    Raises:
        Skip: Another world or method, or another mask.
    """
    if not isinstance(dataset, ConditionalHalves):
        raise Skip(f"E[x2 | x1] of {type(dataset).__name__} is not known")
    if not isinstance(method, MAE):
        raise Skip(f"{type(method).__name__} predicts no masked half")
    n = len(batch)
    splits = [dataset.sample(size, generator) for size in (n, n // 2)] + [batch]
    features = [predicted(method, dataset, split, generator) for split in splits]
    labels = [split.latents["level_0"].argmax(1) for split in splits]
    found = {
        name: linear_probe(
            *(Split(f[name], y) for f, y in zip(features, labels, strict=True))
        )[""]
        for name in features[0]
    }
    bayes = dataset.posterior(batch.images).argmax(1)
    right = bayes.eq(labels[-1])
    error = features[-1]["prediction"] - features[-1]["exact"]
    return found | {
        "bayes": right.double().mean().item(),
        "ci_gap": dataset.ci_gap,
        "pretraining_gap": error.double().square().sum(1).mean().item(),
    }
