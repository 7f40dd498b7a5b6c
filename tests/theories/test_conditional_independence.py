import pandas as pd
import pytest

from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS
from mae_bench.theories.conditional_independence import CONDITIONAL_INDEPENDENCE
from mae_bench.verdicts.judge import judge_prediction

PREDICTIONS = CONDITIONAL_INDEPENDENCE.predictions
NOISE = (0.0, 0.001, -0.001, 0.002, -0.002)
BAYES = 0.92


def judged(number, along, aside=(BAYES, BAYES, BAYES)):
    """Verdict if the probes' accuracy is as given at the three strengths."""
    prediction = PREDICTIONS[number]
    blank = dict.fromkeys(COLUMNS, "")
    strengths = prediction.experiment.factors["strength"]
    rows = [
        blank
        | {
            "dataset": cell.dataset,
            "method": cell.method,
            "tier": "smoke",
            "seed": cell.seed,
            "metric": "expectation_probe",
            "view": "unmasked",
            "target": target,
            "value": BAYES
            if target == "bayes"
            else (along if f["overlap"] else aside)[strengths.index(f["strength"])]
            + NOISE[cell.seed],
            "status": "ok",
            "cell": cell.key,
        }
        | f
        for cell, f in prediction.experiment.cells(TIERS["smoke"], len(NOISE))
        for target in ("prediction", "exact", "bayes")
    ]
    found = {prediction.experiment.id: pd.DataFrame(rows)}
    return judge_prediction(f"t/{number}", "t", prediction, found).verdict


@pytest.mark.parametrize(
    ("number", "gap", "verdict"),
    [
        ("L1", 0.0, "supported"),
        ("L1", 0.03, "refuted"),
        ("L1-mae", 0.02, "supported"),
        ("L1-mae", 0.05, "refuted"),
    ],
)
def test_a_probe_that_reaches_bayes_without_nuisance_supports_l1(number, gap, verdict):
    assert judged(number, (BAYES - gap, 0.8, 0.5)) == verdict


@pytest.mark.parametrize("number", ["L1", "L1-mae"])
def test_a_probe_that_reaches_bayes_whatever_the_nuisance_makes_l1_void(number):
    assert judged(number, (BAYES, BAYES, BAYES)) == "void"


@pytest.mark.parametrize("number", ["L2", "L2-mae"])
@pytest.mark.parametrize(
    ("along", "verdict"),
    [
        ((0.9, 0.8, 0.5), "supported"),
        ((0.9, 0.89, 0.88), "refuted"),
        ((0.5, 0.8, 0.9), "refuted"),
    ],
)
def test_an_accuracy_that_falls_with_the_nuisance_supports_l2(number, along, verdict):
    assert judged(number, along) == verdict


def test_a_fall_beside_the_class_means_as_well_makes_l2_void():
    assert judged("L2", (0.9, 0.8, 0.5), (0.9, 0.8, 0.5)) == "void"
