from mae_bench.experiments.published_imagenette_128 import PUBLISHED_IMAGENETTE_128
from mae_bench.records.schema import TIERS


def test_the_recipe_is_the_published_one_and_is_read_four_times() -> None:
    cells = [
        cell for cell, _ in PUBLISHED_IMAGENETTE_128.cells(TIERS["paper"], range(1))
    ]
    assert {c.method for c in cells} == {"mae", "sim_mim"}
    assert len(cells) == 8
    images = 9469  # of training
    for cell in cells:
        given = cell.method_settings
        assert given["steps"] == 800 * (images // 256)
        assert (given["lr"], given["crops"], given["embed_dim"]) == (1.5e-4, 0.2, 384)
        assert cell.dataset_settings["image_size"] == 128
