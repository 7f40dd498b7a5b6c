from mae_bench.datasets.planted_areas import GRID, area_maps
from mae_bench.experiments.planted_areas import PLANTED_AREAS
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def cells(tier="smoke"):
    return list(PLANTED_AREAS.cells(TIERS[tier], range(1)))


def test_local_areas_have_at_most_the_root_of_the_patches_and_the_global_one_more():
    sizes = {}
    for rows in PLANTED_AREAS.factors["global_rows"]:
        count = area_maps(rows, 1)[0].bincount().tolist()
        assert max(count[1:]) <= GRID < count[0]
        sizes[rows] = count[0] / count[1]
    assert sizes == {3: 3, 4: 6, 5: 15}


def test_every_network_has_at_most_one_layer_of_one_head_a_side():
    for cell, factors in cells():
        world, method = build(cell, "cpu")
        assert method.encoder.patch_size == world.patch_size
        assert len(method.encoder.blocks) == factors["depth"]
        stacks = [method.encoder.blocks]
        if cell.method == "mae":
            stacks.append(method.decoder.blocks)
            assert len(method.decoder.blocks) == 1
        assert all(block.attn.num_heads == 1 for blocks in stacks for block in blocks)


def test_each_trained_network_has_its_untrained_twin_and_the_methods_share_a_start():
    found = {(c.method, f["global_rows"], f["depth"], f["stop"]) for c, f in cells()}
    assert all((m, r, d, 1 - s) in found for m, r, d, s in found)
    shared = {(r, d, s) for m, r, d, s in found if m == "mae" and d == 1}
    assert shared == {(r, d, s) for m, r, d, s in found if m == "simclr"}


def test_the_number_of_cells_is_the_one_that_is_paid_for():
    found = list(PLANTED_AREAS.cells(TIERS["quick"], range(5)))
    assert len(found) == 70
    assert sum(f["stop"] == 1 for _, f in found) == 35
