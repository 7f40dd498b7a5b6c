"""The instruments: each a pure function, with its facts written on it.

``@metric(...)`` turns the function of a file into a :class:`Metric`, which is still
called like the function. What it ``reads`` fixes its signature:

==================  ===========================================================
``reads``           signature
==================  ===========================================================
``latents``         ``(train, val, test: Split[dict[level, [n, k]]])``
                    ``-> dict[level, float]``
``ceiling``         the same, and ``ceiling: dict[level, float]``, the most that
                    anybody could read from what the encoder was shown
``labels``          ``(train, val, test: Split[[n]]) -> dict[variant, float]``
``patches``         the same of ``Patches``, whose features are ``[n, l, d]``
``features``        a ``stream``, updated with ``features [n, d]``
``pairs``           a ``stream``, updated with ``features, features`` of two
                    random masks of the same images
``reconstruction``  a ``stream``, updated with ``prediction, target [n, m, p]`` of
                    the m masked patches
``encoder``         ``(method, dataset, batch, generator) -> dict[variant, float]``,
                    of the trained weights, or of the masks that they were shown
``loss``            ``(method, batch, generator) -> dict[variant, float]``, of the
                    trained weights, on the images for choosing
``step``            the same, of a method that is about to be trained, and the
                    images of one step
``curve``           ``(curve: [t]) -> dict[variant, float]``, the training loss at
                    points evenly spaced in steps
==================  ===========================================================

The plain function of a stream's file holds the mathematics. Where a metric does not
apply it raises ``Skip``.

A stream is a torchmetrics metric for any LightningModule: an attribute of it, updated
in its steps and logged, here once an epoch as ``val/rankme``::

    from mae_bench.metrics.effective_rank import RankMe

    self.rankme = RankMe(centred=True)  # in __init__

    self.rankme.update(self.encoder(images))  # in validation_step
    self.log("val/rankme", self.rankme)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Generic, Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from mae_bench.metrics._headline import Headline as Headline
from mae_bench.metrics._stream import Stream
from mae_bench.records.room import furnish

Reads = Literal[
    "latents",
    "ceiling",
    "labels",
    "patches",
    "features",
    "pairs",
    "reconstruction",
    "encoder",
    "loss",
    "step",
    "curve",
]
# These choose themselves what they show the encoder, whatever the view.
WITHOUT_VIEW = ("pairs", "reconstruction", "encoder", "loss", "step", "curve")
Direction = Literal["max", "min", "target", "none"]
Target = TypeVar("Target")


class Skip(ValueError):
    """The metric does not apply; the message says why."""


@dataclass(frozen=True)
class Split(Generic[Target]):
    """Features of some images, and what is to be predicted from them."""

    features: Float[Tensor, "n d"]
    target: Target


@dataclass(frozen=True)
class Patches(Split[Tensor]):
    """Features of every patch of some images, and their labels."""

    features: Float[Tensor, "n l d"]


Labels = Split[Tensor]
Latents = Split[Mapping[str, Tensor]]


def check_splits(*splits: Split[Any]) -> None:
    """Refuse splits that no probe can be trusted on.

    Raises:
        ValueError: NaN or infinite features, or fewer than 10 images in a split.
    """
    for split in splits:
        if len(split.features) < 10:
            raise ValueError(
                f"a split of {len(split.features)} images; give a probe at least 10"
            )
        if not split.features.isfinite().all():
            raise ValueError("features hold NaN or infinity; the encoder has diverged")


def count_classes(train: Split[Tensor], *others: Split[Tensor]) -> int:
    """Number of classes, the largest label plus one.

    Raises:
        ValueError: Labels that are not int64 [n], fewer than two training images a
            class, or a class that is not in the training split.
    """
    targets = [split.target for split in (train, *others)]
    for target in targets:
        if target.dtype != torch.int64 or target.ndim != 1:
            raise ValueError(
                f"labels are {target.dtype} {list(target.shape)}; give int64 [n]"
            )
    labels = torch.cat(targets)
    classes = int(labels.max()) + 1
    counts = train.target.bincount(minlength=classes)
    unseen = (labels.bincount(minlength=classes) > 0) & (counts == 0)
    if unseen.any():
        missing = unseen.nonzero().flatten().tolist()
        raise ValueError(f"no training image of the classes {missing}; raise n_train")
    fewest = 2 * int((counts > 0).sum())
    if len(train.target) < fewest:
        raise ValueError(
            f"{len(train.target)} training images; raise n_train to at least {fewest}, "
            "two a class"
        )
    return classes


def standardise(train: Tensor, *others: Tensor) -> list[Tensor]:
    """Float64 columns of mean 0 and variance 1 in ``train``; the others likewise.

    A column that is constant in ``train``, to float32's resolution, becomes 0. No
    gradient is kept.

    Args:
        train: ``[n, d]``; sets mean and variance.
        others: ``[_, d]``; shifted and scaled by them.

    >>> standardise(torch.tensor([[1.0, 5.0], [3.0, 5.0]]), torch.tensor([[5.0, 9.0]]))
    [tensor([[-1.,  0.],
            [ 1.,  0.]], dtype=torch.float64), tensor([[3., 0.]], dtype=torch.float64)]
    """
    x = train.detach().double()
    std = x.std(0, correction=0)
    constant = std <= 1e-6 * x.square().mean(0).sqrt()
    scale = std.masked_fill(constant, math.inf)
    return [(y.detach().double() - x.mean(0)) / scale for y in (train, *others)]


def standardised(*splits: Split[Any]) -> list[Tensor]:
    """The splits' features as ``standardise`` gives them, if a probe can trust them."""
    check_splits(*splits)
    return standardise(*(split.features for split in splits))


@dataclass(frozen=True)
class Metric:
    """An instrument: its function and its facts.

    Args:
        function: The mathematics.
        reads: What it is applied to; see the table above.
        direction: Which way is better: ``max``, ``min``, ``target`` (closer to
            ``best``) or ``none`` (a description).
        lower: Least possible value.
        upper: Greatest possible value.
        best: Value of a perfect encoder; NaN if there is none.
        chance: Value of an encoder that knows nothing; NaN if it depends on the data.
        version: Moves when the numbers move.
        source: Paper or library that defines it.
        stream: Accumulates it over batches.
        headlines: Its numbers that methods are compared by; with one, it is measured
            in the leaderboard.
        unit: What its numbers are counted in, such as ``nats``; or patterns of
            targets, the first that fits, and the unit of each.
    """

    function: Callable[..., Any]
    reads: Reads
    direction: Direction
    lower: float
    upper: float
    best: float
    chance: float
    version: int
    source: str
    stream: type[Stream] | None = None
    headlines: tuple[Headline, ...] = ()
    unit: str | Mapping[str, str] = ""

    def __post_init__(self) -> None:
        """Stand in the function's module, where doctest and ``inspect`` look."""
        object.__setattr__(self, "__module__", self.function.__module__)

    def __reduce__(self) -> str:
        """Pickled as functions are, by name."""
        return self.id

    @property
    def joins(self) -> tuple[str, ...]:
        """The experiments that measure it without naming it."""
        return ("leaderboard",) if self.headlines else ()

    @property
    def id(self) -> str:
        """Name of the function, and of its file."""
        return self.function.__name__

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        """The function, whose signature and doctests ``inspect`` finds here."""
        return self.function

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        """Docstring of the function."""
        return self.function.__doc__

    def unit_of(self, target: str) -> str:
        """What the number of a target is counted in; empty where it does not say."""
        if isinstance(self.unit, str):
            return self.unit
        fits = (said for at, said in self.unit.items() if fnmatchcase(target, at))
        return next(fits, "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function."""
        return self.function(*args, **kwargs)


def metric(
    *,
    reads: Reads,
    direction: Direction,
    version: int,
    source: str,
    unit: str | Mapping[str, str] = "",
    lower: float = -math.inf,
    upper: float = math.inf,
    best: float = math.nan,
    chance: float = math.nan,
    stream: type[Stream] | None = None,
    headlines: tuple[Headline, ...] = (),
) -> Callable[[Callable[..., Any]], Metric]:
    """Write its facts on a metric's function."""

    def wrap(function: Callable[..., Any]) -> Metric:
        better = "none" if direction == "target" else direction
        columns = tuple(
            replace(headline, metric=function.__name__, direction=better)
            for headline in headlines
        )
        return Metric(
            function,
            reads,
            direction,
            lower,
            upper,
            best,
            chance,
            version,
            source,
            stream,
            columns,
            unit,
        )

    return wrap


furnish(__name__)
