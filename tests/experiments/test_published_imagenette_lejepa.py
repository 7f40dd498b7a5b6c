from mae_bench.experiments.published_imagenette_lejepa import (
    PUBLISHED_IMAGENETTE_LEJEPA,
)
from mae_bench.records.schema import TIERS


def test_the_recipe_is_the_published_one_and_is_read_four_times() -> None:
    cells = [
        cell for cell, _ in PUBLISHED_IMAGENETTE_LEJEPA.cells(TIERS["paper"], range(1))
    ]
    assert {c.method for c in cells} == {"lejepa_vit"}
    assert [c.method_settings["stop"] for c in cells] == [0.25, 0.5, 0.75, 1.0]
    epoch = 9469 // 256  # steps, of the images of training
    wanted = {"steps": 800 * epoch, "batch_size": 256, "lr": 2e-3, "weight_decay": 0.05}
    wanted |= {"lamb": 0.02, "views": 4, "crops": 0.08}
    wanted |= {"patch_size": 8, "embed_dim": 384, "bottleneck": 512}
    wanted |= {"projector_hidden_dim": 2048, "projector_dim": 16}
    for cell in cells:
        given = cell.method_settings
        assert {name: given[name] for name in wanted} == wanted
        assert given["warmup"] * given["steps"] == epoch
        assert cell.dataset_settings["image_size"] == 128
