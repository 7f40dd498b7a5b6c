"""Class similarity: are images of one class nearer to each other than to the rest?"""

from jaxtyping import Int64
from torch import Tensor
from torch.nn.functional import normalize

from mae_bench.metrics import Split, check_splits, metric


@metric(
    reads="labels",
    direction="none",
    lower=-2.0,
    upper=2.0,
    version=1,
    source="Zhang et al. 2022, arXiv 2210.08344, Sec. 4: intra- and inter-class",
)
def class_similarity(
    train: Split[Int64[Tensor, " n"]],
    val: Split[Int64[Tensor, " n"]],
    test: Split[Int64[Tensor, " n"]],
) -> dict[str, float]:
    """Mean cosine between features of two images, of one class and of two.

    Features are not centred: a direction that all images share raises both means, and
    leaves their difference.

    Args:
        train: Not looked at.
        val: Not looked at.
        test: Features ``[n, d]`` and labels, with two images of some class.

    Returns:
        ``intra`` and ``inter`` in [-1, 1]; ``gap``, the first less the second, 0 for
        features that know nothing of the classes.

    Raises:
        ValueError: NaN features, fewer than 10 images, or no pair of either kind.
    """
    del train, val
    check_splits(test)
    z, labels = normalize(test.features.double(), dim=1), test.target
    same = (labels[:, None] == labels).fill_diagonal_(False)
    pairs, others = int(same.sum()), int((labels[:, None] != labels).sum())
    if not pairs or not others:
        raise ValueError(f"{pairs} pairs of one class, {others} of two; there are none")
    cosine = z @ z.T
    intra = cosine[same].mean().item()
    total = z.sum(0).square().sum().item() - len(z)  # all ordered pairs
    inter = (total - intra * pairs) / others
    return {"intra": intra, "inter": inter, "gap": intra - inter}
