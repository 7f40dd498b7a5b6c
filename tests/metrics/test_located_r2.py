"""A code of c alone, of c and more, of neither: each is told for what it is."""

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.reduced_rank import ReducedRank
from mae_bench.metrics import Skip
from mae_bench.metrics.located_r2 import located_r2, masked_sides, own, whiten
from mae_bench.models.masking import FIXED, fixed_units


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class Told(MAE):
    """An MAE that is told its code."""

    def features(self, batch, ids_keep=None):
        del ids_keep
        code = self.tell(batch)
        return {"mean": code[:, :1], "code": code}


def read(tell, family="left", n=800, seed=1):
    world = InvertibleTree(rng())
    method = Told(world, rng(), mask_family=family)
    method.tell = tell
    batch = world.sample(n, rng(seed))
    with torch.inference_mode():
        return located_r2(method, world, batch, rng())


def bend(z):
    """An invertible map that is not linear."""
    turned = (
        z @ torch.linalg.qr(torch.randn(z.shape[1], z.shape[1], generator=rng()))[0]
    )
    return turned + 0.3 * turned.pow(3)


def root(batch):
    return batch.latents["level_0"]


def test_an_invertible_map_of_c_is_perfect_and_holds_nothing_else():
    found = read(lambda batch: bend(root(batch)))
    assert found["c"] > 0.97
    assert found["code"] > 0.97
    assert found["c/linear"] < found["c"] - 0.02
    assert found["inside/0/0"] == pytest.approx(found["c"])  # other columns, one solve
    assert found["private/eps_1"] == pytest.approx(0, abs=0.05)
    outside = [v for k, v in found.items() if k.startswith("outside/")]
    assert len(outside) == 2 + 8
    assert max(outside) < 0.1


def test_a_private_part_in_the_code_is_found_and_spoils_the_way_back():
    def leaky(batch):
        mid = batch.latents["eps_1"][:, 1:2]  # node 1/1, of the visible right half
        return torch.cat([bend(root(batch)), 0.1 * mid], 1)

    found = read(leaky)
    assert found["c"] > 0.95
    assert found["outside/1/1"] > 0.95
    assert found["outside/1/3"] < 0.1
    assert found["private/eps_1"] == pytest.approx(0.5, abs=0.06)  # one node of two
    # Whitened, the leak is a direction of three, however small it was.
    assert found["code"] == pytest.approx(2 / 3, abs=0.05)


def test_a_code_of_noise_knows_nothing():
    noise = torch.randn(1600, 2, generator=rng(8))
    found = read(lambda batch: noise[: len(batch)], n=1600)
    assert all(abs(value) < 0.1 for value in found.values())


def test_half_of_c_is_half_of_its_variance():
    found = read(lambda batch: root(batch)[:, :1])
    assert found["c"] == pytest.approx(0.5, abs=0.05)
    assert found["code"] > 0.97


def test_what_shows_only_as_a_product_with_c_is_hardly_seen_but_on_the_way_back():
    """The known lie: the code tells all of one node of two, R² 1/2, in plain sight."""

    def product(batch):
        mid = batch.latents["eps_1"][:, 1:2]
        return torch.cat([root(batch), root(batch)[:, :1].sign() * mid], 1)

    found = read(product)
    assert found["private/eps_1"] < 0.25
    assert found["code"] < 0.75


def test_a_mask_that_cuts_a_quarter_lets_its_node_in():
    def cut(batch):
        return torch.cat([root(batch), batch.latents["eps_1"][:, [0, 2]]], 1)

    found = read(cut, "column")
    inside = {k: v for k, v in found.items() if k.startswith("inside/")}
    assert set(inside) == {"inside/0/0", "inside/1/0", "inside/1/2"}
    assert min(inside.values()) > 0.95
    assert max(found["outside/1/1"], found["outside/1/3"]) < 0.1
    assert found["c"] > 0.9


@pytest.mark.parametrize(
    ("family", "c", "shared", "private"),
    [
        ("left", {"0/0"}, 1, 2 + 8),
        ("quad", {"0/0"}, 1, 3 + 12),
        ("leaf", {"1/0"}, 2, 3 + 15),
        ("column", {"1/0", "1/2"}, 3, 2 + 12),
        ("centre", {f"1/{k}" for k in range(4)}, 5, 12),
    ],
)
def test_each_fixed_mask_has_the_c_that_is_counted_by_hand(family, c, shared, private):
    hidden = fixed_units(family, 4).nonzero().flatten().tolist()
    found, inside, outside = masked_sides(
        InvertibleTree(rng()), {f"2/{leaf}" for leaf in hidden}
    )
    assert found == c
    assert (len(inside), len(outside)) == (shared, private)
    assert set(FIXED) >= {family}


def test_a_nodes_own_numbers_make_its_z():
    world = InvertibleTree(rng())
    batch = world.sample(3, rng(1))
    leaf = own(batch, world, "2/5", "level")  # row 1, column 1
    assert torch.equal(leaf, batch.images[:, 0, 2:4, 2:4].flatten(1))
    assert torch.equal(own(batch, world, "1/2", "eps"), batch.latents["eps_1"][:, 2:3])
    assert torch.equal(own(batch, world, "0/0", "eps"), batch.latents["level_0"])


def test_whitening_forgets_scale_and_drops_what_does_not_vary():
    x = torch.randn(500, 3, generator=rng())
    x[:, 1] *= 100
    x[:, 2] = 5.0
    white = whiten(x)
    torch.testing.assert_close(white.T @ white / 500, torch.eye(2).double())


def test_a_constant_code_is_an_error_and_no_number():
    with pytest.raises(ValueError, match="same of every image"):
        read(lambda batch: torch.ones(len(batch), 2))


def test_the_best_linear_code_is_read_as_well():
    world = InvertibleTree(rng(), hidden=0)
    method = ReducedRank(world, rng(1), bottleneck=2)
    found = located_r2(method, world, world.sample(800, rng(2)), rng())
    assert found["c/linear"] > 0.6
    assert found["c"] == pytest.approx(found["c/linear"], abs=0.1)


def test_where_it_does_not_apply_it_says_why():
    world, tree = InvertibleTree(rng()), GaussianTree(rng())
    for method, dataset, why in (
        (MAE(tree, rng()), tree, "GaussianTree is no invertible tree"),
        (MAE(world, rng()), world, "MAE has no fixed mask"),
        (Pixels(world, rng()), world, "Pixels has no fixed mask"),
        (MAE(world, rng(), mask_family="left", patch_size=1), world, "64 patches"),
    ):
        with pytest.raises(Skip, match=why):
            located_r2(method, dataset, dataset.sample(40, rng()), rng())
