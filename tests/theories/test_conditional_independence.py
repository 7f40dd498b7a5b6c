import pytest

from mae_bench.theories.conditional_independence import CONDITIONAL_INDEPENDENCE

PREDICTIONS = CONDITIONAL_INDEPENDENCE.predictions
NOISE = (0.0, 0.001, -0.0015, 0.002, -0.0022, 0.0012, -0.0005)
BAYES = 0.92


@pytest.fixture
def probed(judged):
    """Verdict if the probes' accuracy is as given at the three strengths."""

    def verdict(number, along, aside=(BAYES, BAYES, BAYES)):
        strengths = PREDICTIONS[number].experiment.factors["strength"]

        def measured(cell, f):
            reached = (along if f["overlap"] else aside)[strengths.index(f["strength"])]
            reached += NOISE[cell.seed]
            found = {"prediction": reached, "exact": reached, "bayes": BAYES}
            return {("expectation_probe", "", key): found[key] for key in found}

        return judged(PREDICTIONS, number, measured, noise=0.0)

    return verdict


@pytest.mark.parametrize(
    ("number", "gap", "verdict"),
    [
        ("L1", 0.0, "supported"),
        ("L1", 0.03, "refuted"),
        ("L1-mae", 0.02, "supported"),
        ("L1-mae", 0.05, "refuted"),
    ],
)
def test_a_probe_that_reaches_bayes_without_nuisance_supports_l1(
    number, gap, verdict, probed
):
    assert probed(number, (BAYES - gap, 0.8, 0.5)) == verdict


@pytest.mark.parametrize("number", ["L1", "L1-mae"])
def test_a_probe_that_reaches_bayes_whatever_the_nuisance_makes_l1_void(number, probed):
    assert probed(number, (BAYES, BAYES, BAYES)) == "void"


@pytest.mark.parametrize("number", ["L2", "L2-mae"])
@pytest.mark.parametrize(
    ("along", "verdict"),
    [
        ((0.9, 0.8, 0.5), "supported"),
        ((0.9, 0.89, 0.88), "refuted"),
        ((0.5, 0.8, 0.9), "refuted"),
    ],
)
def test_an_accuracy_that_falls_with_the_nuisance_supports_l2(
    number, along, verdict, probed
):
    assert probed(number, along) == verdict


def test_a_fall_beside_the_class_means_as_well_makes_l2_void(probed):
    assert probed("L2", (0.9, 0.8, 0.5), (0.9, 0.8, 0.5)) == "void"


def test_whole_quarters_leave_the_root_alone_to_tell_and_are_forecast_best() -> None:
    (forecast,) = CONDITIONAL_INDEPENDENCE.forecasts
    at = {"dataset": "gaussian_tree", "mask_ratio": 0.5, "mask_family": "random"}
    whole, parts = (forecast.score({**at, "mask_unit": unit}) for unit in (4, 2))
    assert parts < whole == pytest.approx(0, abs=1e-9)
    assert forecast.score({**at, "mask_unit": 4, "dataset": "digits"}) is None
