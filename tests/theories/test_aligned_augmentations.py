import pytest

from mae_bench.oracles.aligned_views import kept_signal
from mae_bench.theories.aligned_augmentations import ALIGNED_AUGMENTATIONS

PREDICTIONS = ALIGNED_AUGMENTATIONS.predictions
OTHER = {
    "reconstruction": "joint_embedding",
    "joint_embedding": "reconstruction",
}


def exact(factors, objective=None):
    world = (factors["nuisance"], factors["alignment"], factors["isotropic"])
    return kept_signal(objective or factors["objective"], *world)


@pytest.fixture
def kept(judged):
    """Verdict if every cell keeps what it is told to."""

    def verdict(number, overlap=exact):
        def measured(_, factors):
            return {
                "overlap": overlap(factors),
                "exact": exact(factors),
                "exact_other": exact(factors, OTHER[factors["objective"]]),
            }

        return judged(PREDICTIONS, number, measured)

    return verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_the_closed_form_supports_every_claim(number, kept):
    assert kept(number) == "supported"


@pytest.mark.parametrize("number", PREDICTIONS)
def test_objectives_that_change_places_refute_every_claim(number, kept):
    found = kept(number, lambda f: exact(f, OTHER[f["objective"]]))
    # A reconstruction that needs little is turned by too little alignment as well.
    assert found == ("void" if number == "JR-D2" else "refuted")


def test_one_point_off_the_step_refutes_jr1(kept):
    def overlap(f):
        return 0.7 if f["alignment"] == 2.0 and f["nuisance"] == 2.0 else exact(f)

    assert kept("JR1", overlap) == "refuted"


def test_a_joint_embedding_that_is_always_better_leaves_jr2_void(kept):
    assert kept("JR2", lambda f: float(f["objective"] == "joint_embedding")) == "void"


def test_the_forecast_is_the_closed_form():
    forecast = ALIGNED_AUGMENTATIONS.forecast
    point = {"objective": "reconstruction", "nuisance": 4.0, "isotropic": 0.0}
    assert [forecast.score({**point, "alignment": a}) for a in (2.0, 5.0)] == [0, 1]
