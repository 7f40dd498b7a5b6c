from mae_bench.experiments.published_cifar10_mae import PUBLISHED_CIFAR10_MAE
from mae_bench.records.schema import TIERS


def test_the_recipe_is_the_published_one_and_is_read_four_times() -> None:
    cells = [cell for cell, _ in PUBLISHED_CIFAR10_MAE.cells(TIERS["paper"], range(1))]
    assert [c.method_settings["stop"] for c in cells] == [0.25, 0.5, 0.75, 1.0]
    given = cells[0].method_settings
    assert given["lr"] == 1.5e-4 * 4096 / 256
    assert given["batch_size"] / given["accumulate"] == 512
    names = ("patch_size", "embed_dim", "depth", "num_heads", "decoder_depth", "crops")
    assert [given[name] for name in names] == [2, 192, 12, 3, 4, 0.0]
