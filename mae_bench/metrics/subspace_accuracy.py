"""Accuracy from the directions of most variance, and from those of least."""

import warnings

import torch
from jaxtyping import Float64
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip, Split, metric, standardise
from mae_bench.metrics.linear_probe import linear_probe

TOP, BOTTOM = 0.9, 0.2  # the paper's shares of the variance; the subspaces overlap
N_TRAIN = 2000
HIDDEN, PASSES = 128, 50  # of the network, on standardised projections


def subspaces(
    images: Float64[Tensor, "n d"],
) -> tuple[Float64[Tensor, "d j"], Float64[Tensor, "d k"]]:
    """The fewest leading principal axes with 90 % of the variance, and all the last.

    The second are as many of the last axes as have 20 % of the variance at most;
    axes without any variance are left out of both.
    """
    centred = images - images.mean(0)
    _, size, axes = torch.linalg.svd(centred, full_matrices=False)
    axes = axes[size > 1e-9 * size[0]]
    share = size[: len(axes)].square() / size.square().sum()
    before = share.cumsum(0) - share
    remaining = share.flip(0).cumsum(0).flip(0)
    return axes[before < TOP].T, axes[remaining <= BOTTOM].T


def network_accuracy(train: Split[Tensor], test: Split[Tensor], seed: int) -> float:
    """Accuracy of a small network of one hidden layer, after a fixed budget.

    Args:
        train: Features ``[n, d]``, labels ``[n]``.
        test: Is reported.
        seed: Of its weights and of the order of images.
    """
    x, x_test = (h.cpu().numpy() for h in standardise(train.features, test.features))
    network = MLPClassifier((HIDDEN,), max_iter=PASSES, random_state=seed)
    with warnings.catch_warnings():
        # The budget is what is wanted: training ends with the passes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(x, train.target.cpu().numpy())
    return float(network.score(x_test, test.target.cpu().numpy()))


@metric(
    reads="encoder",
    direction="none",
    unit={"*axes": "share of the pixels", "*": "accuracy"},
    lower=0.0,
    upper=1.0,
    version=1,
    source="Balestriero & LeCun 2024, arXiv 2402.11337, Fig. 1; here a small network",
)
def subspace_accuracy(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """How well the class is told from part of the pixels' variance.

    Images are projected on their top or their bottom principal subspace, and a network
    is trained on the projections, as in the paper: what the last directions say is not
    linear. Training and test images are resampled with replacement, so that figures
    vary from seed to seed even for a fixed set of images.

    Args:
        method: ``Pixels``: nothing is encoded.
        dataset: A world with classes.
        batch: Test images.
        generator: Draws training images, the network, and which test images count.

    Returns:
        ``top`` and ``bottom``: the network's accuracy from the axes with 90 % of the
        variance and from those with the last 20 %. ``top/linear``, ``bottom/linear``:
        that of a linear probe. ``top/axes``, ``bottom/axes``: how many axes they are,
        over the number of pixels.

    Raises:
        Skip: An encoder, or a world without classes.
    """
    if not isinstance(method, Pixels):
        raise Skip("it is of pixels, whatever the encoder")
    n, device = len(batch), generator.device
    drawn = torch.randint(n, (n,), generator=generator, device=device)
    seed = int(torch.randint(2**31, (), generator=generator, device=device))
    splits = [
        _pixels(part)
        for part in (
            dataset.sample(N_TRAIN, generator),
            dataset.split("val", N_TRAIN // 2, generator),
            batch.rows(drawn),
        )
    ]
    found = {}
    pair = zip(("top", "bottom"), subspaces(splits[0].features), strict=True)
    for name, axes in pair:
        train, val, test = (Split(s.features @ axes, s.target) for s in splits)
        found[name] = network_accuracy(train, test, seed)
        found[f"{name}/linear"] = linear_probe(train, val, test)[""]
        found[f"{name}/axes"] = axes.shape[1] / axes.shape[0]
    return found


def _pixels(batch: Batch) -> Split[Tensor]:
    if batch.labels is None:
        raise Skip("the world has no labels")
    return Split(batch.images.flatten(1).double(), batch.labels)
