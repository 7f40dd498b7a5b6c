"""Claims that are false by construction: how often the judge supports what cannot be.

Which of the 137 claims that there were, was settled by their form and their id, not by
what became of them: of every form, those of each theory in turn, the first by id, then
the second, until there are six or no more; of contrasts six between conditions and six
with a constant; of equivalences those of a contrast, for of no other is it known how to
make them false. The list does not move as claims are added, but for those of a form
that is new: of slopes all that there were with the first.
"""

from collections.abc import Iterator
from dataclasses import replace

from mae_bench.records import registry
from mae_bench.theories import Prediction, Theory

# Recipe of ``verdicts.planting`` -> claims, form by form.
CHOSEN = {
    "relabelled": (
        "attention_diversity/H3",
        "attention_homogeneity/V1",
        "average_distance/A1",
        "class_subspaces/S2-early",
        "hierarchical_latents/K-D1-unit",
        "locality_bias/D1",
        "conditional_independence/L2",
        "deep_linear_dynamics/LW3",
        "hierarchical_latents/K8-pixels",
        "local_contrast/Y2",
        "mask_graph_alignment/Z2",
        "occlusion_invariant_features/O2",
        "over_parameterisation/M1",
        "spatial_correlations/B4-order",
        "over_parameterisation/M3",
        "hierarchical_latents/K5",
        "over_parameterisation/M2",
        "spatial_correlations/B-D2",
        "spatial_correlations/B10-decoder",
        "hierarchical_latents/K7",
        "hierarchical_latents/K4",
        "mask_graph_alignment/Z1-gap",
        "mask_graph_alignment/Z1-rise",
        "mask_graph_alignment/Z3",
        "mask_graph_alignment/Z8",
        "mask_graph_alignment/Z8-alpha",
        "mask_graph_alignment/Z8-tail",
    ),
    "scattered": (
        "attention_diversity/H1-global",
        "deep_linear_dynamics/LW2",
        "hierarchical_latents/K1",
        "local_contrast/Y1",
        "mask_graph_alignment/Z4",
        "operator_kernel/C1",
    ),
    "shifted": (
        "conditional_independence/L1",
        "cross_attention_decoder/CM-error",
        "deep_linear_dynamics/LW1",
        "hierarchical_latents/K-D3",
        "mask_graph_alignment/Z11",
        "over_parameterisation/M1-limit",
        "class_subspaces/S2-persistent",
        "cross_attention_decoder/CM-root",
        "hierarchical_latents/K-D2",
        "occlusion_invariant_features/O1",
        "spatial_correlations/B7-noise",
        "cross_attention_decoder/CM-subset",
        "latent_prediction/KW1",
        "latent_prediction/KW1-far",
        "latent_prediction/KW1-leaves",
        "latent_prediction/KW1-second",
        "latent_prediction/KW2",
    ),
    "violated": (
        "hierarchical_latents/K4-inside",
        "mask_graph_alignment/Z1",
        "spatial_correlations/B1",
        "hierarchical_latents/K4-outside",
        "mask_graph_alignment/Z1-sharp",
        "spatial_correlations/B1-subspace",
    ),
}


def _nulls() -> Iterator[tuple[str, Prediction]]:
    """Each claim with its recipe; nothing but its control may keep it from support."""
    for recipe, claims in CHOSEN.items():
        for theory, number in (claim.split("/") for claim in claims):
            real: Prediction = registry.load("theories", theory).predictions[number]
            null = replace(
                real,
                claim=f"{real.claim} (false here: rows are {recipe})",
                place=f"planted; {theory}/{number} is the claim that is meant",
                converged=False,
                ceiling=None,
                planted=recipe,
            )
            yield f"null-{number}", null


PLANTED_NULLS = Theory(
    paper="none: claims that are false by construction",
    summary=(
        "Claims of the other theories, with rows that were made to deny them. "
        "Labels are dealt at random within a seed, effects are scattered around "
        "nought, what should be close is moved apart, bounds are broken. "
        "They are registered and judged as all claims are, and do not set the "
        "strength that is asked for. Of a judge that keeps its word at most one in "
        "twenty of them is supported."
    ),
    assumptions=("seeds are drawn independently of each other",),
    predictions=dict(_nulls()),
)
