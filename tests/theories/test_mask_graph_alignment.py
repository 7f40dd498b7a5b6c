from collections.abc import Callable

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS, Settings
from mae_bench.theories.mask_graph_alignment import MASK_GRAPH_ALIGNMENT
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = MASK_GRAPH_ALIGNMENT.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)
WEIGHTS = (0.0, 0.001, 0.01, 0.1, 1.0)
WORLDS = pytest.mark.parametrize("world", ["gaussian_tree", "digits"])


def name_of(number: str, world: str) -> str:
    return number if world == "gaussian_tree" else f"{number}-{world}"


def judged(number: str, world: str, values: dict[object, float], target: str) -> str:
    """Verdict if the metric is as given by lambda or by method, in one world alone."""
    prediction = PREDICTIONS[name_of(number, world)]
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")

    def value(method: str, factors: Settings) -> float:
        return values.get(factors.get("lamb", factors.get("stop", method)), 0.9)

    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "token": "mean",
            "target": target,
            "value": value(cell.method, factors) + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        if cell.dataset == world
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(name_of(number, world), "t", prediction, found).verdict


@WORLDS
@pytest.mark.parametrize(
    ("trained", "untrained", "verdict"),
    [
        (0.2, 0.9, "supported"),
        (0.7, 0.9, "refuted"),
        (0.45, 0.9, "refuted"),
        (0.2, 0.2, "void"),
    ],
)
def test_a_low_rank_supports_z4_unless_the_untrained_encoder_has_it_too(
    world: str, trained: float, untrained: float, verdict: str
) -> None:
    ranks: dict[object, float] = {"mae": trained, "random_init": untrained}
    assert judged("Z4", world, ranks, "centred_share") == verdict


@pytest.mark.parametrize(
    ("ranks", "verdict"),
    [
        ((10.0, 11.0, 12.0, 13.0, 14.0), "supported"),
        ((10.0, 10.1, 10.2, 10.3, 10.4), "refuted"),
        ((14.0, 13.0, 12.0, 11.0, 10.0), "refuted"),
    ],
)
def test_a_rank_that_rises_with_lambda_supports_z5(
    ranks: tuple[float, ...], verdict: str
) -> None:
    found = dict(zip(WEIGHTS, ranks, strict=True))
    assert judged("Z5", "gaussian_tree", {**found}, "centred") == verdict


@WORLDS
@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.03, "supported"), (0.005, "refuted"), (-0.03, "refuted")]
)
def test_z6_wants_a_point_of_accuracy_from_the_published_weight(
    world: str, gain: float, verdict: str
) -> None:
    # In the sweep a weight of 0.01 against 0, on digits u_mae against mae.
    plain: dict[object, float] = {**dict.fromkeys(WEIGHTS, 0.6), "mae": 0.6}
    accuracy = plain | {0.01: 0.6 + gain, "u_mae": 0.6 + gain}
    assert judged("Z6", world, accuracy, "") == verdict


BOUND_TARGETS = (
    "loss",
    "alignment",
    "alignment_gap",
    "eps",
    "gap",
    "slack",
    "slack_unrelated",
    "sharp_slack",
    "sharp_slack_unrelated",
)


def bounded(number: str, value: Callable[[str, Settings], float]) -> str:
    """Verdict if the targets of the alignment bound are as given."""
    prediction = PREDICTIONS[number]
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": "alignment_bound",
            "view": "unmasked",
            "target": target,
            "value": value(target, factors) + abs(NOISE[cell.seed]),
            "status": "ok",
            "cell": cell.key,
        }
        | factors
        for cell, factors in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        for target in BOUND_TARGETS
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(number, "t", prediction, found).verdict


@pytest.mark.parametrize(
    ("number", "slack"), [("Z1", "slack"), ("Z1-sharp", "sharp_slack")]
)
@pytest.mark.parametrize(
    ("least", "unrelated", "verdict"),
    [(0.0, -0.2, "supported"), (-0.1, -0.2, "refuted"), (0.0, 0.1, "void")],
)
def test_one_checkpoint_below_the_bound_refutes_it(
    number: str, slack: str, least: float, unrelated: float, verdict: str
) -> None:
    def value(target: str, factors: Settings) -> float:
        if target == f"{slack}_unrelated":
            return unrelated
        return least if target == slack and factors["stop"] == 0.25 else 0.3

    assert bounded(number, value) == verdict


@pytest.mark.parametrize(
    ("number", "target"), [("Z1-rise", "alignment"), ("Z1-gap", "alignment_gap")]
)
@pytest.mark.parametrize(
    ("slope", "control", "verdict"),
    [
        (0.5, 0.0, "supported"),
        (0.0, 0.0, "refuted"),
        (-0.5, 0.0, "refuted"),
        (0.5, 0.5, "void"),
    ],
)
def test_alignment_must_rise_where_the_loss_falls(
    number: str, target: str, slope: float, control: float, verdict: str
) -> None:
    def value(name: str, factors: Settings) -> float:
        stop = float(factors["stop"] or 0)
        if name == target:
            return (control if factors["rules"] == "random:64" else slope) * stop
        return 2 - stop

    assert bounded(number, value) == verdict


def test_alignment_that_first_falls_is_seen_from_the_initial_weights_alone() -> None:
    def value(name: str, factors: Settings) -> float:
        stop = float(factors["stop"] or 0)
        if factors["rules"] == "random:64":
            return 0.0
        aligned = 0.4 + stop / 2 if stop else 1.0
        return aligned if name.startswith("alignment") else 2 - stop

    assert bounded("Z1-rise", value) == "supported"
    assert bounded("Z1-gap", value) == "refuted"


@pytest.mark.parametrize(
    ("slope", "untrained", "verdict"),
    [(1.0, 0.0, "supported"), (-1.0, 0.0, "refuted"), (1.0, 1.0, "void")],
)
def test_the_gap_must_follow_epsilon_in_trained_decoders(
    slope: float, untrained: float, verdict: str
) -> None:
    def value(name: str, factors: Settings) -> float:
        depth, width = factors["decoder_depth"], factors["decoder_embed_dim"]
        eps = (float(depth or 0) + 2) / float(width or 1)
        trained = factors["stop"] == 1.0
        return (slope if trained else untrained) * eps if name == "gap" else eps

    assert bounded("Z3", value) == verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [(0.3, "supported"), (0.05, "refuted"), (-0.3, "refuted")],
)
def test_z2_wants_views_of_one_image_to_become_alike(
    change: float, verdict: str
) -> None:
    stops = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)
    found = {stop: 0.3 + change * i / 5 for i, stop in enumerate(stops)}
    assert judged("Z2", "gaussian_tree", {**found}, "cosine_gap") == verdict


@pytest.mark.parametrize(
    ("autoencoder", "verdict"),
    [(0.4, "supported"), (0.58, "refuted"), (0.7, "refuted")],
)
def test_z9_wants_five_points_from_the_masks(autoencoder: float, verdict: str) -> None:
    found: dict[object, float] = {"mae": 0.6, "autoencoder": autoencoder}
    assert judged("Z9", "gaussian_tree", found, "") == verdict
