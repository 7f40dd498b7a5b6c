from collections.abc import Callable
from typing import Any

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.mask_graph_alignment import MASK_GRAPH_ALIGNMENT

PREDICTIONS = MASK_GRAPH_ALIGNMENT.predictions
NOISE = (0.0, 0.001, -0.0015, 0.002, -0.0022, 0.0012, -0.0005)
WEIGHTS = (0.0, 0.001, 0.01, 0.1, 1.0)
WORLDS = pytest.mark.parametrize("world", ["gaussian_tree", "digits"])


def name_of(number: str, world: str) -> str:
    return number if world == "gaussian_tree" else f"{number}-{world}"


@pytest.fixture
def in_world(judged) -> Callable[..., str]:
    """Verdict if the metric is as given by lambda or by method, in one world alone."""

    def verdict(number: str, world: str, values: dict[Any, float], target: str) -> str:
        name = name_of(number, world)
        token = PREDICTIONS[name].where["token"]
        label = (PREDICTIONS[name].metric.id, token, target)

        def value(cell: Cell, factors: Settings) -> dict[tuple[str, str, str], float]:
            known = factors.get("lamb", factors.get("stop", cell.method))
            # Spins without structure are there for a control, and tell nothing.
            return (
                {label: values.get(known, 0.9)}
                if cell.dataset in (world, "ising")
                else {}
            )

        return judged(PREDICTIONS, name, value)

    return verdict


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
    world: str, trained: float, untrained: float, verdict: str, in_world
) -> None:
    ranks = {"mae": trained, "random_init": untrained}
    assert in_world("Z4", world, ranks, "centred_share") == verdict


@pytest.mark.parametrize(
    ("ranks", "verdict"),
    [
        ((10.0, 10.1, 12.0, 13.0, 14.0), "supported"),
        ((10.0, 10.1, 10.2, 10.3, 10.4), "refuted"),
        ((14.0, 13.0, 12.0, 11.0, 10.0), "refuted"),
    ],
)
def test_a_rank_that_rises_with_lambda_supports_z5(
    ranks: tuple[float, ...], verdict: str, in_world
) -> None:
    found = dict(zip(WEIGHTS, ranks, strict=True))
    assert in_world("Z5", "gaussian_tree", found, "centred") == verdict


@WORLDS
@pytest.mark.parametrize(
    ("gain", "verdict"), [(0.03, "supported"), (0.005, "refuted"), (-0.03, "refuted")]
)
def test_z6_wants_a_point_of_accuracy_from_the_published_weight(
    world: str, gain: float, verdict: str, in_world
) -> None:
    # In the sweep a weight of 0.01 against 0, on digits u_mae against mae.
    plain = dict.fromkeys((*WEIGHTS, "mae", "autoencoder"), 0.6)
    accuracy = plain | dict.fromkeys((0.01, "u_mae"), 0.6 + gain)
    assert in_world("Z6", world, accuracy, "") == verdict


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


@pytest.fixture
def bounded(judged) -> Callable[[str, Callable[[str, Settings], float]], str]:
    """Verdict if the targets of the alignment bound are as given."""

    def verdict(number: str, value: Callable[[str, Settings], float]) -> str:
        def measured(cell: Cell, factors: Settings) -> dict[tuple[str, ...], float]:
            noise = abs(NOISE[cell.seed])
            return {
                ("alignment_bound", "", target): value(target, factors) + noise
                for target in BOUND_TARGETS
            }

        return judged(PREDICTIONS, number, measured, noise=0.0)

    return verdict


@pytest.mark.parametrize(
    ("number", "slack"), [("Z1", "slack"), ("Z1-sharp", "sharp_slack")]
)
@pytest.mark.parametrize(
    ("least", "unrelated", "verdict"),
    [(0.0, -0.2, "supported"), (-0.1, -0.2, "refuted"), (0.0, 0.1, "void")],
)
def test_one_checkpoint_below_the_bound_refutes_it(
    number: str, slack: str, least: float, unrelated: float, verdict: str, bounded
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
    number: str, target: str, slope: float, control: float, verdict: str, bounded
) -> None:
    def value(name: str, factors: Settings) -> float:
        stop = float(factors["stop"] or 0)
        if name == target:
            return (control if factors["rules"] == "random:64" else slope) * stop
        return 2 - stop

    assert bounded(number, value) == verdict


def test_alignment_that_first_falls_is_seen_from_the_initial_weights_alone(
    bounded,
) -> None:
    def value(name: str, factors: Settings) -> float:
        stop = float(factors["stop"] or 0)
        aligned = 0.4 + stop / 2 if stop else 1.0
        if factors["rules"] == "random:64":
            aligned = 0.0
        return aligned if name.startswith("alignment") else 2 - stop

    assert bounded("Z1-rise", value) == "supported"
    assert bounded("Z1-gap", value) == "refuted"


@pytest.mark.parametrize(
    ("slope", "untrained", "verdict"),
    [(1.0, 0.0, "supported"), (-1.0, 0.0, "refuted"), (1.0, 1.0, "void")],
)
def test_the_gap_must_follow_epsilon_in_trained_decoders(
    slope: float, untrained: float, verdict: str, bounded
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
    change: float, verdict: str, in_world
) -> None:
    stops = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)
    found = {stop: 0.3 + change * i / 5 for i, stop in enumerate(stops)}
    assert in_world("Z2", "gaussian_tree", found, "cosine_gap") == verdict


@pytest.mark.parametrize(
    ("autoencoder", "verdict"),
    [(0.4, "supported"), (0.58, "refuted"), (0.7, "refuted")],
)
def test_z9_wants_five_points_from_the_masks(
    autoencoder: float, verdict: str, in_world
) -> None:
    found = {"mae": 0.6, "autoencoder": autoencoder, "denoising": autoencoder}
    assert in_world("Z9", "gaussian_tree", found, "") == verdict


def test_the_graph_of_the_tree_alone_is_known() -> None:
    old, grid = MASK_GRAPH_ALIGNMENT.forecasts
    at = {"mask_ratio": 0.5, "mask_unit": 4, "patch_size": 2}
    known = {"dataset": "gaussian_tree", **at}
    assert old.score(known) == grid.score({**known, "mask_family": "random"})
    assert grid.score(known) > grid.score({**known, "mask_unit": 2})
    for world in ("digits", "random_hierarchy"):
        assert grid.score({"dataset": world, **at, "mask_family": "random"}) is None
