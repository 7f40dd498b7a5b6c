"""Class similarity: are images of one class nearer to each other than to the rest?"""

from typing import Any, Literal

from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from mae_bench.metrics import Labels, check_splits, metric
from mae_bench.metrics._stream import Sums, TooFew


def sums(
    features: Float[Tensor, "n d"], labels: Int64[Tensor, " n"], num_classes: int
) -> tuple[Float64[Tensor, "c d"], Int64[Tensor, " c"], Float64[Tensor, ""]]:
    """Of unit-norm features z: Σ z of each class, its images, and Σ |z|² of all."""
    z, member = normalize(features.double(), dim=1), one_hot(labels, num_classes)
    return member.T.double() @ z, member.sum(0), z.square().sum()


def from_sums(
    total: Float64[Tensor, "c d"], count: Int64[Tensor, " c"], own: Float64[Tensor, ""]
) -> dict[str, Tensor]:
    """All variants; pairs are ordered, and ``own`` are those of an image with itself.

    Raises:
        ValueError: NaN or infinite features; no pair of either kind.
    """
    if not own.isfinite():
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    pairs = (count * (count - 1)).sum()
    others = count.sum().square() - count.square().sum()
    if not pairs or not others:
        raise TooFew(
            f"{int(pairs)} pairs of one class, {int(others)} of two; there are none"
        )
    same = total.square().sum()
    intra = (same - own) / pairs
    inter = (total.sum(0).square().sum() - same) / others
    return {"intra": intra, "inter": inter, "gap": intra - inter}


class ClassSimilarity(Sums):
    """Class similarity of all features of an epoch.

    >>> import torch
    >>> similarity = ClassSimilarity(num_classes=2)
    >>> similarity.update(torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 0, 1]))
    >>> similarity.compute()
    tensor(1., dtype=torch.float64)
    """

    states = ("total", "count", "own")

    def __init__(
        self,
        num_classes: int,
        variant: Literal["gap", "intra", "inter"] = "gap",
        **kwargs: Any,
    ) -> None:
        """Start from nothing.

        Args:
            num_classes: Labels are below it.
            variant: Mean cosine within classes, between them, or the difference.
            kwargs: Of ``torchmetrics.Metric``.
        """
        super().__init__(variant, **kwargs)
        self.num_classes = num_classes

    def update(
        self, features: Float[Tensor, "n d"], labels: Int64[Tensor, " n"]
    ) -> None:
        """Add a batch."""
        self.add(sums(features, labels, self.num_classes))

    def variants(self) -> dict[str, Tensor]:
        """Variant -> value."""
        return from_sums(*self.sums())


@metric(
    reads="labels",
    direction="none",
    unit="cosine",
    lower=-2.0,
    upper=2.0,
    version=1,
    source="Zhang et al. 2022, arXiv 2210.08344, Sec. 4: intra- and inter-class",
)
def class_similarity(train: Labels, val: Labels, test: Labels) -> dict[str, float]:
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

    >>> import torch
    >>> from mae_bench.metrics import Split
    >>> labels = torch.arange(20) % 2
    >>> split = Split(torch.eye(2)[labels], labels)
    >>> class_similarity(split, split, split)
    {'intra': 1.0, 'inter': 0.0, 'gap': 1.0}
    """
    del train, val
    check_splits(test)
    num_classes = int(test.target.max()) + 1
    found = from_sums(*sums(test.features.detach(), test.target, num_classes))
    return {variant: float(value) for variant, value in found.items()}
