from mae_bench.claims.location import LOCATION
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS


def test_they_are_the_theorys_own_and_none_goes_beyond_the_theorem() -> None:
    for number, prediction in LOCATION.items():
        assert HIERARCHICAL_LATENTS.predictions[number] is prediction
        assert prediction.standing == "derived"


def test_what_is_counted_and_what_is_trained_stand_apart() -> None:
    metrics = {number: p.metric.id for number, p in LOCATION.items()}
    trained = {number for number, metric in metrics.items() if metric == "linear_r2"}
    assert trained == {"K-D2-features"}
    assert set(metrics.values()) == {"linear_r2", "located_level"}
