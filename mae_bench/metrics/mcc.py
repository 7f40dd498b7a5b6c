"""Mean correlation coefficient: does each latent have a feature of its own?"""

from jaxtyping import Float, Float64
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mae_bench.metrics import Headline, Latents, check_splits, metric, standardise


def correlation(
    a: Float[Tensor, "n d"], b: Float[Tensor, "n k"]
) -> Float64[Tensor, "d k"]:
    """Absolute Pearson correlation of each column with each; 0 for a constant one.

    >>> import torch
    >>> float(correlation(torch.tensor([[0.0], [1.0]]), torch.tensor([[4.0], [2.0]])))
    1.0
    """
    return (standardise(a)[0].T @ standardise(b)[0] / len(a)).abs().clamp(max=1)


@metric(
    reads="latents",
    direction="max",
    unit="correlation",
    lower=0.0,
    upper=1.0,
    best=1.0,
    chance=0.0,
    version=2,
    source="Hyvärinen & Morioka 2016, arXiv 1605.06336; the matching is held out",
    headlines=(Headline("level_0"),),
)
def mcc(train: Latents, val: Latents, test: Latents) -> dict[str, float]:
    """How well single features stand for single latents, up to order and scale.

    ``(1/k) sum_j |corr(h_pi(j), z_j)|``: the matching ``pi`` of features to a level's
    coordinates is the best one on ``train`` (Hungarian algorithm), the correlations
    are those on ``test``. With fewer features than latents the unmatched latents
    count as 0.

    It asks for more than linear or block identifiability: a rotation of the latents
    scores below 1.

    Args:
        train: Features ``[n, d]``, level -> latents ``[n, k]``; matches.
        val: Not used.
        test: Is reported.

    Returns:
        Level -> value in ``[0, 1]``. Independent features score about
        ``0.8 / sqrt(n)``, not 0.

    Raises:
        ValueError: NaN features, or fewer than 10 images in a split.

    >>> import torch
    >>> from mae_bench.metrics import Split
    >>> z = torch.arange(10.0)[:, None]
    >>> split = Split(torch.cat([z**0, -z], dim=1), {"level_0": z})
    >>> round(mcc(split, split, split)["level_0"], 4)  # in earnest, three splits
    1.0
    """
    check_splits(train, val, test)
    scores = {}
    for level, latents in train.target.items():
        known = correlation(train.features, latents)
        feature, latent = linear_sum_assignment(known.cpu().numpy(), maximize=True)
        held_out = correlation(test.features, test.target[level]).cpu()
        scores[level] = float(held_out[feature, latent].sum()) / latents.shape[1]
    return scores
