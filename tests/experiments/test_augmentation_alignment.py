from mae_bench.experiments.augmentation_alignment import AUGMENTATION_ALIGNMENT
from mae_bench.oracles.aligned_views import alignment_threshold, kept_signal
from mae_bench.records.schema import TIERS


def cells():
    return list(AUGMENTATION_ALIGNMENT.cells(TIERS["quick"], range(1)))


def test_no_point_is_on_a_threshold_but_joint_embedding_without_views():
    for _, at in cells():
        world = (at["nuisance"], at["alignment"], at["isotropic"])
        kept = kept_signal(at["objective"], *world)
        arbitrary = at["objective"] == "joint_embedding" and world[1:] == (0.0, 0.0)
        assert (kept == 0.25) == arbitrary


def test_the_steps_that_can_be_seen_have_points_on_both_sides():
    alignments = {at["alignment"] for _, at in cells()}
    for objective, g, b in (
        ("reconstruction", 2.0, 0.0),
        ("reconstruction", 4.0, 0.0),
        ("joint_embedding", 4.0, 1.0),
    ):
        step = alignment_threshold(objective, g, b)
        assert min(alignments) < step < max(alignments)


def test_reconstruction_trains_four_times_as_long():
    steps = {at["objective"]: c.method_settings["steps"] for c, at in cells()}
    assert steps == {"reconstruction": 2000, "joint_embedding": 500}
