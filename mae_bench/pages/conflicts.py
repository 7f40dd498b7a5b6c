"""Where theories disagree: of each variable what each says, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from mae_bench.pages.effects import WHOSE, explain, lines_on

# Variable -> prediction -> what its theory says of the variable, in a few words.
SAID: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "how much is masked": {
            "hierarchical_latents/K5-tree": "a middle ratio is best",
            "visible_share/N1": "the less, the better",
            "corruption_and_prediction/WE1": "to hide more hurts",
            "corruption_and_prediction/WE2": "to be told more helps",
            "mask_graph_alignment/Z8-tail-falls": "more masks connect more views",
            "masked_likelihood/GM1": "the more, the better is estimated",
            "mode_blindness/MB2": "the less, the less is seen of modes",
            "over_parameterisation/M3": "of few covariates any mask hurts",
            "spatial_correlations/B4": "the more, the farther the reach",
            "spatial_correlations/B-D1": "with a bottleneck, the less far",
        },
        "which patches are masked": {
            "hierarchical_latents/K12-tree": "whole sub-trees are best",
            "coloured_masks/CM1": "parts of a scale are best",
            "eigenvector_masking/E1-fine": "directions, not patches",
            "average_distance/A1": "only the distance counts",
        },
        "what is predicted": {
            "latent_prediction/KW2": "latents: m³ strings at any level",
            "latent_prediction/KW1-second": "tokens: m⁴ at the second",
            "deep_linear_dynamics/LW2": "latents: what repeats, first",
            "aligned_augmentations/JR2": "views: signal where pixels fail",
            "slow_features/TV2": "views: what stands still",
            "discrete_tokens/T1": "tokens: how many decides",
        },
        "additive noise": {
            "spatial_correlations/R3": "turns no linear code",
            "aligned_augmentations/JR-D2": "turns it, where aligned",
            "spatial_correlations/B7": "masks do better",
        },
        "the loss as a proxy": {
            "spatial_correlations/B10-loss": "it hardly tells the probe",
            "lejepa/LL1": "it ranks trainings",
            "lejepa/LL1-stated": "it ranks them at .94",
            "mask_graph_alignment/Z1-gap": "alignment rises as it falls",
            "cumulative_masked_score/G1": "over all masks it is evidence",
            "incompatible_conditionals/RT1": "it is of no joint law",
        },
        "full masks": {
            "mode_blindness/MB3": "a few cure blindness to modes",
            "mode_blindness/MB3-uniform": "an even ratio does as well",
            "masked_self_regression/X1": "are one of many scores",
            "hierarchical_latents/K7-tree": "a nearly full mask is as none",
        },
        "how far one looks": {
            "locality_bias/D1": "masks make it local",
            "attention_diversity/H1-local-3": "at one's own area",
            "class_subspaces/S2-early": "far, from the first layer",
            "attention_homogeneity/V1": "contrast looks farther",
            "operator_kernel/C6": "reconstruction is global",
            "local_contrast/Y1": "the decoder is local",
        },
        "what is learned first": {
            "self_guided_masking/SG1": "clusters, by a tenth of the steps",
            "spatial_correlations/R1": "what varies least is for tasks",
            "spatial_correlations/B9": "the near before the far",
            "deep_linear_dynamics/LW1": "pixels: by covariance alone",
        },
    }
)


def conflicts(table: pd.DataFrame) -> Figure:
    """A part a variable, a line a claim; what is not measured has its words alone.

    Args:
        table: ``verdicts.csv``.
    """
    rows = table.set_index("prediction", drop=False)
    parts = {
        variable: rows.loc[[key for key in said if key in rows.index]].to_dict(
            "records"
        )
        for variable, said in SAID.items()
    }
    parts = {variable: lines for variable, lines in parts.items() if lines}
    if not parts:
        figure = plt.figure(figsize=(5, 1))
        text = "no theories that disagree have been judged"
        figure.text(0.5, 0.5, text, ha="center", va="center")
        return figure
    every = [row for lines in parts.values() for row in lines]
    size = (8.4, 0.21 * len(every) + 0.4 * len(parts) + 1.8)
    figure, axes = plt.subplots(
        len(parts),
        1,
        sharex=True,
        squeeze=False,
        figsize=size,
        height_ratios=[len(lines) for lines in parts.values()],
    )
    for ax, (variable, lines) in zip(axes[:, 0], parts.items(), strict=True):
        lines_on(ax, lines)
        ax.set_title(variable, loc="left", fontsize=8, fontweight="bold")
        at = ax.get_yaxis_transform()
        for y, row in enumerate(lines):
            words = SAID[variable][str(row["prediction"])]
            ax.text(1.02, y, words, transform=at, fontsize=7, va="center")
    figure.suptitle(f"Where theories disagree, and what was found; {WHOSE}", fontsize=8)
    explain(figure, list(axes[:, 0]), every)
    figure.tight_layout(rect=(0, 0.55 / size[1], 1, 1), h_pad=0.4)
    return figure
