"""No claim of a paper is dropped, pools in silence, or denies another unnoticed.

The ids are copied by hand from what the papers claim, so that a theory's file cannot
forget one with its code. What a metric reads is told by the committed measurements,
under which conditions by the experiment's grid.
"""

import math
from functools import cache
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.predictions import Form
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.trend import Trend
from mae_bench.records import registry
from mae_bench.records.rows import matching
from mae_bench.records.schema import TIERS
from mae_bench.theories import ROOT_ACCURACY, ROOT_R2, Prediction

MEASURED = Path(__file__).parents[2] / "results" / "measurements"

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
    # Korchinski, Favero & Wyart 2026.
    "KW0 KW1 KW2 KW3": "latent_prediction",
    # Van Assel et al. 2025, and what follows from its linear world.
    "JR1 JR2 JR3 JR-D1 JR-D2 JR-supervised JR-networks": "aligned_augmentations",
    # Cai & Shi 2026.
    "MB1 MB2 MB3 MB-network": "mode_blindness",
    # Li et al. 2024, and what follows from the information.
    "GM1 GM2 GM-D1 GM-sampling GM-network": "masked_likelihood",
    # Klindt, LeCun & Balestriero 2026.
    "LJ1 LJ2 LJ3 LJ-D1 LJ-ablation LL1": "lejepa",
    # Przewiezlikowski et al. 2025.
    "BC1 BC2": "selective_pooling",
    # Wettig et al. 2023.
    "WE1 WE2 WE3": "corruption_and_prediction",
    # Garnier-Brun et al. 2025.
    "GB1 GB2 GB3": "hierarchical_filtering",
    # Liu et al. 2026, and what follows from mixtures.
    "IP1 IP-D1": "log_posterior_features",
    # What every theory is held against.
    "N1": "visible_share",
}
PREDICTIONS: dict[str, Prediction] = {
    f"{name}/{number}": prediction
    for name in registry.names("theories")
    for number, prediction in registry.load("theories", name).predictions.items()
    # A planted null is one of these again.
    if not prediction.planted
}
READ = ["metric", "view", "token", "target"]
# What says of the same numbers that they rise and that they fall, or do neither.
RIVALS = {
    frozenset({"hierarchical_latents/K5-tree", "visible_share/N1"}),
    *(
        frozenset({f"spatial_correlations/{one}", f"spatial_correlations/{other}"})
        for one, other in (
            ("B-D2", "B5"),
            ("B-D2-short", "B5-short"),
            ("B-D3", "B5-share"),
        )
    ),
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


@cache
def conditions(experiment: str) -> pd.DataFrame:
    """World, method and factors of each cell of one seed."""
    points = [
        {"dataset": cell.dataset, "method": cell.method, **factors}
        for cell, factors in registry.load("experiments", experiment).cells(
            TIERS["smoke"], range(1)
        )
    ]
    grid = pd.DataFrame(points).astype(object)
    return grid.where(grid.notna(), None)


@cache
def read(experiment: str, world: str) -> pd.DataFrame:
    """What each metric says of each encoder; of a world not yet measured, of others."""
    path = MEASURED / f"{experiment}.csv"
    if not path.exists():  # declared, and not yet measured
        return pd.DataFrame(columns=READ)
    rows = pd.read_csv(path, keep_default_na=False)
    rows = rows[rows["status"] == "ok"]
    ours = rows[rows["dataset"] == world]
    return (rows if ours.empty else ours)[READ].drop_duplicates()


def seen(prediction: Prediction) -> pd.DataFrame:
    """The rows of one seed that a claim speaks of."""
    metrics = [m.id for m in (prediction.metric, prediction.against) if m]
    grid = conditions(prediction.experiment.id)
    rows = pd.concat(
        part.merge(read(prediction.experiment.id, str(world)), how="cross")
        for world, part in grid.groupby("dataset")
    )
    return matching(rows[rows["metric"].isin(metrics)], prediction.where)


def bare(form: Form) -> Form:
    """An equivalence is of what it denies."""
    return form.form if isinstance(form, Equivalence) else form


def pooled(prediction: Prediction) -> set[str]:
    """Columns over which a claim takes means: its form does not keep them apart."""
    form, rows = bare(prediction.form), seen(prediction)
    own = vars(form)
    apart = {*own.get("along", ()), *prediction.each, own.get("factor")} - {None}
    if isinstance(form, Nearer | Membership):
        apart.add("target")
    sides = [side for side in own.values() if isinstance(side, dict)]
    found: set[str] = set()
    for side in sides or [{}]:
        ours = matching(rows, side).map(repr)
        kept = ours.groupby(sorted(apart)) if apart else ours.groupby(lambda _: 0)
        found |= {c for c in ours if c not in apart and kept[c].nunique().max() > 1}
    return found


@pytest.mark.parametrize("key", PREDICTIONS)
def test_no_claim_pools_conditions_in_silence(key: str) -> None:
    prediction = PREDICTIONS[key]
    spoken = "on average" in prediction.claim or "together" in prediction.claim
    assert spoken or not pooled(prediction)


def test_a_claim_that_no_longer_says_that_it_pools_is_found() -> None:
    assert pooled(PREDICTIONS["operator_kernel/C5"]) == {"decoder_depth"}
    assert pooled(PREDICTIONS["hierarchical_latents/K1-reverse"])
    assert not pooled(PREDICTIONS["average_distance/A1"])


def picture(form: Form) -> tuple[str, str] | None:
    """The factor of a curve, and its shape."""
    if isinstance(form, Peak):
        return form.factor, "valley" if form.minimum else "peak"
    return (form.factor, form.direction) if isinstance(form, Trend) else None


def deny(one: Prediction, other: Prediction) -> bool:
    """Whether two claims have unlike pictures of the same rows."""
    ours, theirs = picture(one.form), picture(other.form)
    if ours is None or theirs is None or one.experiment is not other.experiment:
        return False
    if ours[0] != theirs[0] or ours[1] == theirs[1]:
        return False
    return not seen(one).merge(seen(other)).empty


def test_claims_that_deny_each_other_are_known_as_rivals() -> None:
    curves = {key: p for key, p in PREDICTIONS.items() if picture(p.form)}
    found = {
        frozenset(keys)
        for keys in combinations(curves, 2)
        if deny(*(curves[key] for key in keys))
    }
    assert found == RIVALS


def test_the_ceilings_of_the_trees_root_are_those_of_the_exact_posterior() -> None:
    rows = pd.read_csv(MEASURED / "recoverability.csv", keep_default_na=False)
    wanted = {"metric": "ceiling", "target": "level_0/unmasked"}
    exact = matching(rows, {**wanted, "dataset": "gaussian_tree", "status": "ok"})
    assert exact["value"].astype(float).mean() == pytest.approx(ROOT_R2, abs=0.005)
    one = ROOT_ACCURACY**0.5
    assert math.sin(math.pi * (one - 0.5)) ** 2 == pytest.approx(ROOT_R2, abs=0.001)
