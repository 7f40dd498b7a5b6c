from mae_bench.experiments import asked_for
from mae_bench.experiments.sample_complexity import rules_of
from mae_bench.experiments.sample_complexity_trained import (
    IMAGES,
    SAMPLE_COMPLEXITY_TRAINED,
    TRAINED_PRODUCTIONS,
)
from mae_bench.records.schema import TIERS


def cells():
    return list(SAMPLE_COMPLEXITY_TRAINED.cells(TIERS["quick"], range(1)))


def test_each_method_sees_the_same_numbers_of_images_of_the_same_worlds():
    found = {(c.method, f["rules"], f["train_images"]) for c, f in cells()}
    methods = ("mae", "data2vec", "i_jepa", "random_init")
    rules = [rules_of(m, 3) for m in TRAINED_PRODUCTIONS]
    assert found == {(a, r, n) for a in methods for r in rules for n in IMAGES}
    assert all(c.dataset_settings["train_images"] in IMAGES for c, _ in cells())


def test_all_hide_as_much_and_take_as_many_steps():
    trained = [c.method_settings for c, _ in cells() if c.method != "random_init"]
    assert {
        (s["steps"], s["lr"], s["mask_ratio"], s["mask_family"], s["patch_size"])
        for s in trained
    } == {(2000, 0.004, 0.25, "random", 4)}


def test_a_patch_is_the_leaves_under_one_node():
    for cell, _ in cells():
        leaf, patch = cell.dataset_settings["leaf_size"], cell.method_settings
        assert patch["patch_size"] == 2 * leaf


def test_it_is_run_by_who_names_it():
    assert "sample_complexity_trained" not in asked_for(None)
    assert "sample_complexity_trained" in asked_for(["sample_complexity_trained"])
