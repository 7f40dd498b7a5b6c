"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.cross_attention_decoder import CROSS_ATTENTION_DECODER

PREDICTIONS = CROSS_ATTENTION_DECODER.predictions
Measured = Callable[[Cell, Settings], float]


def ablated(whole: float, apart: float, placeless: float) -> Measured:
    """By the decoder's and the encoder's ablation."""
    values = {(True, True): whole, (False, True): apart, (True, False): placeless}
    return lambda _, f: values[bool(f["mask_to_mask"]), bool(f["pos_embed"])]


@pytest.mark.parametrize("number", ["CM-error", "CM-root"])
@pytest.mark.parametrize(
    ("apart", "placeless", "verdict"),
    [
        (0.5, 0.8, "supported"),
        (0.505, 0.8, "supported"),
        (0.6, 0.8, "refuted"),
        (0.4, 0.8, "refuted"),
        (0.5, 0.5, "void"),
    ],
)
def test_masked_patches_must_not_need_each_other_where_they_need_positions(
    number: str, apart: float, placeless: float, verdict: str, judged
) -> None:
    measured = ablated(0.5, apart, placeless)
    assert judged(PREDICTIONS, number, measured, noise=0.1) == verdict


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [((5.0, 5.05, 8.0), "supported"), ((0.05, 0.055, 0.08), "refuted")],
)
def test_the_error_is_judged_as_a_share_of_the_whole_decoders(
    errors: tuple[float, float, float], verdict: str, judged
) -> None:
    assert judged(PREDICTIONS, "CM-error", ablated(*errors), noise=0.1) == verdict


@pytest.mark.parametrize("number", ["CM-subset", "CM-subset-digits"])
@pytest.mark.parametrize(
    ("few", "untrained", "verdict"),
    [
        (0.9, 0.6, "supported"),
        (0.91, 0.6, "supported"),
        (0.8, 0.6, "refuted"),
        (0.95, 0.6, "refuted"),
        (0.9, 0.9, "void"),
    ],
)
def test_few_questions_must_teach_as_much_as_all_where_training_teaches(
    number: str, few: float, untrained: float, verdict: str, judged
) -> None:
    values = {"cross_mae": few, "mae": 0.9, "random_init": untrained}

    def measured(cell: Cell, _: Settings) -> float:
        return values.get(cell.method, 0.1)

    assert judged(PREDICTIONS, number, measured, noise=0.1) == verdict
