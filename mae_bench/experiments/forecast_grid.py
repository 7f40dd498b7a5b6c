"""Which theory orders many masks as they turn out, in three worlds?

A grid on which theories disagree and chance does not: the shape, size and share of the
mask, and the transformer's patch, in every world the same 25 points. Every ratio is a
whole number of units, and no two points draw the same masks for the same patches.
"""

from collections.abc import Iterable

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.experiments import Experiment
from mae_bench.experiments.recoverability import RECOVERABILITY
from mae_bench.methods.mae import MAE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.records.schema import Setting, Settings

_EIGHTHS = tuple(k / 8 for k in range(1, 8))
_QUARTERS = (0.25, 0.5, 0.75)


def _each(settings: Settings, factor: str, values: Iterable[Setting]) -> list[Settings]:
    return [{**settings, factor: value} for value in values]


_WITHOUT: tuple[Settings, ...] = (
    # A unit is made of whole patches.
    {"mask_unit": 2, "patch_size": 4},
    # An image has four units of 4 pixels, which leave no eighths and few shapes.
    *_each({"mask_unit": 4}, "mask_ratio", set(_EIGHTHS) - set(_QUARTERS)),
    *_each({"mask_unit": 4}, "mask_family", ("block", "aligned", "grid")),
    # Whole quarters of an image are its units of 4 pixels.
    *_each({"mask_family": "aligned"}, "mask_ratio", _QUARTERS),
    # Of 16 units a grid keeps four, or a single one.
    *_each({"mask_family": "grid"}, "mask_ratio", set(_EIGHTHS) - {0.75}),
)

FORECAST_GRID = Experiment(
    question="Which theory orders many masks as they turn out?",
    expected={
        "hierarchical_latents": "masks along the sub-trees best, then both extremes of "
        "the ratio; scattered halves worst",
        "mask_graph_alignment": "masks whose parts share few dimensions best: whole "
        "quarters and extreme ratios; scattered halves worst",
        "conditional_independence": "masks that leave the root alone to tell of the "
        "masked part best: small masked parts and whole quarters",
        "spatial_correlations": "the farther the best linear map reaches, the better: "
        "high ratios and large masks",
        "visible_share": "the more is visible, the better, whatever the shape",
        "average_distance": "the farther the nearest visible pixel, the worse",
    },
    datasets=(Digits, GaussianTree, RandomHierarchy),
    methods=(MAE,),
    factors={
        "mask_ratio": _EIGHTHS,
        "mask_unit": (2, 4),
        "mask_family": ("random", "block", "aligned", "grid"),
        "patch_size": (2, 4),
    },
    without=_WITHOUT,
    budgets=RECOVERABILITY.budgets,
    metrics=(linear_probe, reconstruction_error),
    cost="375 cells, 285 beyond mask_unit_by_patch_size: about half an hour on two "
    "cores",
)
