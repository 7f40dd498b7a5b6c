"""What the features tell of each latent level beyond the levels above it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.metrics import (
    Headline,
    Latents,
    Split,
    check_splits,
    metric,
    standardise,
)
from mae_bench.metrics.block_r2 import MAX_ROWS, fit, rbf
from mae_bench.metrics.linear_r2 import r2


def residuals(
    known: Sequence[Float[Tensor, "_ c"]], wanted: Sequence[Float[Tensor, "_ k"]]
) -> list[Float64[Tensor, "_ k"]]:
    """What a smooth map of ``known`` leaves of ``wanted``, in units of its deviation.

    Args:
        known: Of the images that fit the map, those that choose it, and others.
        wanted: Of the same images.

    Returns:
        Residuals of all but the first, which the map has seen.
    """
    x, *x_rest = standardise(*known)
    z, *z_rest = standardise(*wanted)
    found = fit(x, x_rest[0], {"": z}, {"": z_rest[0]})[""]
    return [
        other - rbf(x_other, x, found.gamma) @ found.dual
        for x_other, other in zip(x_rest, z_rest, strict=True)
    ]


def explained(
    features: Sequence[Float[Tensor, "_ d"]],
    known: Sequence[Float[Tensor, "_ c"]],
    wanted: Sequence[Float[Tensor, "_ k"]],
) -> float:
    """R² of ``wanted`` from ``features`` where both are rid of what ``known`` says.

    Args:
        features: Of four sets of images: the first fits what is removed, the second
            the rest, the third chooses both, the fourth is reported.
        known: Of the same images; of width 0 if nothing is to be removed.
        wanted: Of the same images.
    """
    if known[0].shape[1]:
        order = (0, 2, 1, 3)
        given, seen, true = ([v[i] for i in order] for v in (known, features, wanted))
        val_h, fit_h, test_h = residuals(given, seen)
        val_z, fit_z, test_z = residuals(given, true)
        features, wanted = (fit_h, val_h, test_h), (fit_z, val_z, test_z)
    else:
        features, wanted = features[1:], wanted[1:]
    x, x_val, x_test = standardise(*features)
    z, z_val, z_test = standardise(*wanted)
    found = fit(x, x_val, {"": z}, {"": z_val})[""]
    return float(r2(rbf(x_test, x, found.gamma) @ found.dual, z_test))


@metric(
    reads="latents",
    direction="none",
    unit="R2",
    upper=1.0,
    chance=0.0,
    version=2,
    source="Robinson 1988, doi 10.2307/1912705; here by kernels, and held out",
    headlines=(Headline("level_1"),),
)
def partial_r2(train: Latents, val: Latents, test: Latents) -> dict[str, float]:
    """How much of each latent level the features tell beyond all levels above it.

    What the levels above predict is taken away from the level and from the features,
    by the kernel regression of ``block_r2``; the R² is that of what is left of the one
    from what is left of the other. It answers whether features that are known to hold
    a level (``block_r2``) hold private parts below it too: a code that is a function
    of the levels above scores 0, however well it correlates with the level.

    Half of the first 1000 training images fit what is taken away, the other half the
    rest: residuals of images that a map was fitted on are too small. What only shows
    together with the levels above (their product with the level, say) is not seen.

    Args:
        train: Features ``[n, d]``, level -> latents ``[n, k]``, root first; fits.
            Levels whose names end alike from a slash on, as ``level_1/shuffled``, are
            a hierarchy of their own.
        val: Chooses alpha and gamma of each regression.
        test: Is reported.

    Returns:
        Level -> R², averaged over the level's coordinates; the root, which has nothing
        above it, has its plain R². About 0, not exactly, for a level that the levels
        above decide.

    Raises:
        ValueError: NaN features, fewer than 10 images in a split, or 20 in ``train``.

    >>> i = torch.arange(140)[:, None]
    >>> root, own = (i % 10).float(), (i % 7).float()  # unrelated
    >>> split = Split(root, {"level_0": root, "level_1": own})
    >>> found = partial_r2(split, split, split)  # in earnest, three splits
    >>> {level: abs(round(value, 1)) for level, value in found.items()}
    {'level_0': 1.0, 'level_1': 0.0}
    """
    half = min(len(train.features), MAX_ROWS) // 2
    halves: list[Latents] = [
        Split(train.features[i], {level: z[i] for level, z in train.target.items()})
        for i in (slice(half), slice(half, 2 * half))
    ]
    splits = [*halves, val, test]
    check_splits(*splits)
    features = [split.features for split in splits]
    nothing = [split.features[:, :0] for split in splits]
    above: dict[str, list[Tensor]] = {}
    scores = {}
    for level in train.target:
        story = level.partition("/")[2]
        known = above.get(story, nothing)
        latents = [split.target[level] for split in splits]
        scores[level] = explained(features, known, latents)
        above[story] = [torch.cat(pair, 1) for pair in zip(known, latents, strict=True)]
    return scores
