from mae_bench.experiments.published_imagenette_224 import PUBLISHED_IMAGENETTE_224
from mae_bench.records.schema import TIERS


def test_the_recipe_is_the_published_one_and_is_read_four_times() -> None:
    cells = [
        cell for cell, _ in PUBLISHED_IMAGENETTE_224.cells(TIERS["paper"], range(1))
    ]
    assert {c.method for c in cells} == {"mae", "i_jepa"}
    assert len(cells) == 8
    images = 9469  # of training
    for cell in cells:
        given = cell.method_settings
        assert given["steps"] == 200 * (images // 128)
        assert (given["lr"], given["crops"], given["decoder_depth"]) == (5e-4, 0.2, 4)
        assert cell.dataset_settings["image_size"] == 224
