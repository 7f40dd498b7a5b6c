"""Each claim is supported by the picture that it draws, and by no other."""

from collections.abc import Callable

import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS, Cell, Settings
from mae_bench.theories.cross_attention_decoder import CROSS_ATTENTION_DECODER
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = CROSS_ATTENTION_DECODER.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)


def judged(number: str, whole: float, apart: float, placeless: float) -> str:
    """Verdict if the metric is as given by the decoder's and encoder's ablation."""
    values = {(True, True): whole, (False, True): apart, (True, False): placeless}

    def value(cell: Cell, factors: Settings) -> float:
        del cell
        pair = bool(factors["mask_to_mask"]), bool(factors["pos_embed"])
        return values[pair]

    return verdict_on(number, value)


def verdict_on(number: str, value: Callable[[Cell, Settings], float]) -> str:
    prediction = PREDICTIONS[number]
    where = prediction.where
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "")
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": prediction.metric.id,
            "view": "unmasked",
            "token": where.get("token", ""),
            "target": where.get("target", ""),
            "value": value(cell, f) + NOISE[cell.seed] / 10,
            "status": "ok",
            "cell": cell.key,
        }
        | f
        for cell, f in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(
        number, "cross_attention_decoder", prediction, found
    ).verdict


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
    number: str, apart: float, placeless: float, verdict: str
) -> None:
    assert judged(number, 0.5, apart, placeless) == verdict


def test_the_error_is_judged_as_a_share_of_the_whole_decoders() -> None:
    assert judged("CM-error", 5.0, 5.05, 8.0) == "supported"
    assert judged("CM-error", 0.05, 0.055, 0.08) == "refuted"


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
    number: str, few: float, untrained: float, verdict: str
) -> None:
    values = {"cross_mae": few, "mae": 0.9, "random_init": untrained}
    assert verdict_on(number, lambda cell, _: values.get(cell.method, 0.1)) == verdict
