"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.occlusion_invariant_features import OCCLUSION_INVARIANT_FEATURES

PREDICTIONS = OCCLUSION_INVARIANT_FEATURES.predictions


@pytest.mark.parametrize(
    ("step", "verdict"), [(0.1, "supported"), (0.0, "refuted"), (-0.1, "refuted")]
)
def test_o2_wants_an_invariance_that_rises_in_training(
    step: float, verdict: str, judged
) -> None:
    stops = PREDICTIONS["O2"].experiment.factors["stop"]
    alike = {stop: 0.5 + step * i for i, stop in enumerate(stops)}
    assert judged(PREDICTIONS, "O2", lambda _, f: alike[f["stop"]]) == verdict


def test_o2_counts_from_the_initial_weights_on(judged) -> None:
    def risen_at_once(_: Cell, factors: Settings) -> float:
        return 0.9 if factors["stop"] else 0.5

    assert judged(PREDICTIONS, "O2", risen_at_once) == "supported"
    assert judged(PREDICTIONS, "O2", risen_at_once, everywhere=True) == "void"


def by_method(**values: float) -> Callable[[Cell, Settings], float]:
    return lambda cell, _: values.get(cell.method, 0.3)


@pytest.mark.parametrize(
    ("mae", "simclr", "verdict"),
    [(0.8, 0.9, "supported"), (0.89, 0.9, "refuted"), (0.9, 0.8, "refuted")],
)
def test_o3_wants_a_probe_below_that_of_simclr(
    mae: float, simclr: float, verdict: str, judged
) -> None:
    found = by_method(mae=mae, simclr=simclr, supervised=0.9)
    assert judged(PREDICTIONS, "O3", found) == verdict


def test_o3_is_void_where_a_supervised_encoder_is_below_simclr_as_well(judged) -> None:
    found = by_method(mae=0.8, simclr=0.9, supervised=0.8)
    assert judged(PREDICTIONS, "O3", found) == "void"


@pytest.mark.parametrize("number", ["O1", "O1-digits"])
@pytest.mark.parametrize(
    ("contrast", "untrained", "verdict"),
    [
        (0.9, 0.5, "supported"),
        (0.8, 0.5, "refuted"),
        (0.95, 0.5, "refuted"),
        (0.9, 0.9, "void"),
    ],
)
def test_o1_wants_contrast_of_masked_views_to_be_as_good_as_their_reconstruction(
    number: str, contrast: float, untrained: float, verdict: str, judged
) -> None:
    values = by_method(mae=0.9, random_init=untrained, mask_contrastive=contrast)
    assert judged(PREDICTIONS, number, values) == verdict
