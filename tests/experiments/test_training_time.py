from mae_bench.experiments.training_time import TRAINING_TIME
from mae_bench.records.schema import TIERS


def test_it_goes_from_the_initial_weights_to_the_leaderboards_encoder(shared) -> None:
    stops = TRAINING_TIME.factors["stop"]
    assert list(stops) == sorted(stops)
    assert (stops[0], stops[-1]) == (0.0, 1.0)
    assert shared(TRAINING_TIME, "stop") == {1.0}


def test_checkpoints_differ_in_nothing_else() -> None:
    settings = [
        c.method_settings for c, _ in TRAINING_TIME.cells(TIERS["smoke"], range(1))
    ]
    rest = [{k: v for k, v in s.items() if k != "stop"} for s in settings]
    assert all(other == rest[0] for other in rest)
