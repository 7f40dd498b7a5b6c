from mae_bench.theories.claims.location import LOCATION
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS


def test_they_are_the_theorys_own_and_none_goes_beyond_the_theorem() -> None:
    for number, prediction in LOCATION.items():
        assert HIERARCHICAL_LATENTS.predictions[number] is prediction
        assert prediction.standing == "derived"


def test_what_is_counted_and_what_is_trained_stand_apart() -> None:
    counted = {n for n, p in LOCATION.items() if p.metric.id == "located_level"}
    assert counted == {"K-D1-ratio", "K-D1-unit", "K-D2", "K-D3"}
    assert LOCATION.keys() - counted == {"K1-root", "K-D2-features"}
