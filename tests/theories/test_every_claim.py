"""No claim of a paper is dropped: each is measured, or says why it is not.

The ids are copied by hand from what the papers claim, so that a theory's file cannot
forget one with its code.
"""

import pytest

from mae_bench.records import registry

CLAIMS = {
    # Kong et al. 2023, and what follows from its theorem on trees.
    "K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11 K12 K13": "hierarchical_latents",
    "K-D1 K-D2 K-D3 K-D4": "hierarchical_latents",
    # Zhang, Wang & Wang 2022, and Tan et al. 2024 after it.
    "Z1 Z2 Z3 Z4 Z5 Z6 Z7 Z8 Z9 Z10 Z11 MM1 MM2": "mask_graph",
    # Cao, Xu & Clifton 2022.
    "C1 C2 C3 C4 C5 C6 C7": "operator_kernel",
    # Bisulco et al. 2025, what follows from its closed form, Balestriero & LeCun 2024.
    "B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11 B12": "spatial_correlations",
    "B-D1 B-D2 B-D3 R1 R2 R3 R4": "spatial_correlations",
    # Yue et al. 2023.
    "Y1 Y2 Y3 Y4": "local_contrast",
    # Pan, Zhou & Yan 2023.
    "P1 P2 P3": "multi_view_features",
    # Lee et al. 2021.
    "L1 L2 L3": "conditional_independence",
    # Littwin et al. 2024.
    "LW1 LW2 LW3 LW4": "deep_linear_dynamics",
    # Xie et al. 2023.
    "D1 D2 D3 D4": "locality_bias",
    # Kong & Zhang 2023.
    "O1 O2 O3 O4": "occlusion_invariant_features",
    # Huang, Wen, Chi & Liang 2025.
    "H1 H2 H3 H4": "attention_diversity",
    # Dong, Wang & Kluger 2025.
    "M1 M2 M3 M4": "over_parameterisation",
    # Wortsman Zurich et al. 2026.
    "X1 X2": "masked_self_regression",
    # Huang et al. 2025.
    "I1 I2": "information_bottleneck",
    # Du, Wang & Wang 2024.
    "T1 T2": "discrete_tokens",
    # Moreno-Muñoz, Recasens & Hauberg 2023.
    "G1 G2": "cumulative_masked_score",
    # Liu et al. 2022.
    "PI1 PI2 PI3": "parameter_identifiability",
    # Bizeul et al. 2025.
    "E1 E2": "eigenvector_masking",
    # Fu et al. 2025.
    "CM": "cross_attention_decoder",
    # Xie et al. 2022.
    "A1": "average_distance",
    # Shrivastava, Rameshan & Agnihotri 2026.
    "S1 S2 S3": "class_subspaces",
    # Park et al. 2023.
    "V1 V2 V3 V4": "attention_homogeneity",
    # What every theory is held against.
    "N1": "visible_share",
}
HOME = {number: home for ids, home in CLAIMS.items() for number in ids.split()}
NUMBERS = {
    name: {*theory.predictions, *theory.unmeasured}
    for name in registry.names("theories")
    for theory in (registry.load("theories", name),)
}


def stands(claim: str, number: str) -> bool:
    """Whether a theory's number is the claim or, with a suffix, a part of it."""
    return number == claim or number.startswith(f"{claim}-")


def test_a_suffix_splits_a_claim_and_a_digit_makes_another() -> None:
    assert stands("K1", "K1-reverse")
    assert not stands("K1", "K10")
    assert not stands("D1", "K-D1")


@pytest.mark.parametrize("claim", HOME)
def test_each_claim_stands_in_one_theory_as_measured_or_with_a_reason(
    claim: str,
) -> None:
    homes = [
        name
        for name, numbers in NUMBERS.items()
        if any(stands(claim, number) for number in numbers)
    ]
    assert len(homes) == 1
    # The theory of the mask graph may fill more than one file.
    assert homes[0].startswith(HOME[claim])


# A theory of which no claim is listed above is somebody's own.
LISTED = [name for name in NUMBERS if name.startswith(tuple(HOME.values()))]


@pytest.mark.parametrize("name", LISTED)
def test_a_theory_has_no_number_that_no_claim_has(name: str) -> None:
    for number in NUMBERS[name]:
        assert any(stands(claim, number) for claim in HOME), number
