"""The tracks of ours by world, and of names that are not ours."""

from mae_bench.verdicts.tracks import track_of


def test_what_a_method_is_told_depends_on_the_world_where_that_makes_its_views() -> (
    None
):
    worlds = ("digits", "gaussian_tree", "no_longer_known")
    assert [track_of("simclr", world, {}) for world in worlds] == [
        *("augmentations", "causes", "augmentations")
    ]
    assert {track_of("mask_contrastive", world, {}) for world in worlds} == {"pixels"}
    assert {track_of("pixels", world, {}) for world in worlds} == {"reference"}


def test_an_encoder_from_elsewhere_is_told_what_it_says_or_pixels() -> None:
    assert track_of("theirs", "digits", {}) == "pixels"
    assert track_of("theirs", "digits", {"theirs": "labels"}) == "labels"
    # Of ours the class says it.
    assert track_of("mae", "digits", {"mae": "labels"}) == "pixels"
