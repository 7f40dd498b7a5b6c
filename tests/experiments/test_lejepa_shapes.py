from mae_bench.experiments.lejepa_shapes import LEJEPA_SHAPES
from mae_bench.records.schema import TIERS


def test_every_training_is_looked_at_twice_and_shapes_differ_in_nothing_else() -> None:
    cells = list(LEJEPA_SHAPES.cells(TIERS["quick"], range(1)))
    points = [tuple(at.values()) for _, at in cells]
    assert len(points) == 14
    assert {p[:3] for p in points if p[3] == 0.1} == {p[:3] for p in points}
    shapes = [p for p in points if p[1:] == (0.9, 0.02, 1.0)]
    assert [p[0] for p in shapes] == [0.5, 1.0, 2.0, 4.0, 16.0]
