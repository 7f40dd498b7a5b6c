"""Both sides of the bound against loops, random outputs that try to break it, and ε."""

from itertools import product

import pytest
import torch
from torch.nn.functional import normalize

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods.mae import MAE
from mae_bench.methods.pixels import Pixels
from mae_bench.metrics import Skip
from mae_bench.metrics.alignment_bound import (
    alignment_bound,
    bound,
    invert,
    masking_of,
    outputs,
    targets,
)
from mae_bench.oracles.finite_hierarchy import finite_world, images_of
from mae_bench.oracles.mask_graph import all_masks, mask_graph


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def hierarchy(rules="random:4", symbols=3, seed=0):
    return RandomHierarchy(rng(seed), symbols=symbols, rules=rules, noise=0.05)


def graph_of(world, masked=1):
    images = finite_world(world)
    return mask_graph(images.tokens, images.probability, all_masks(4, masked))


def drawn(n, k, seed):
    return normalize(torch.randn(n, k, generator=rng(seed), dtype=torch.float64))


def eager(graph, x2):
    """The best outputs, E[x2 | x1], which push the loss down to where bounds bite."""
    return normalize(graph.adjacency @ x2 + 1e-12)


@pytest.mark.parametrize("masked", [1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_no_outputs_break_the_bound_whatever_epsilon_is(masked, seed):
    world = hierarchy(seed=seed)
    graph = graph_of(world, masked)
    n1, n2 = graph.adjacency.shape
    x2 = targets(world, graph.masked)
    k = x2.shape[1]
    for noise in (0.0, 0.1, 0.3, 1.0, 3.0):
        for h in (drawn(n1, k, seed), eager(graph, x2)):
            h_g = normalize(x2 + noise * drawn(n2, k, seed + 50))
            found = bound(h, x2, h_g, graph)
            assert found["slack"] >= -1e-12
            assert found["sharp_slack"] >= -1e-12
            assert found["alignment"] >= found["unrelated"] - 1e-12


def test_the_bound_is_met_where_views_agree_on_their_target():
    world = hierarchy(rules="random:1")  # three images: what is seen tells the rest
    graph = graph_of(world)
    x2 = targets(world, graph.masked)
    found = bound(eager(graph, x2), x2, x2, graph)
    assert found["loss"] == pytest.approx(0, abs=1e-12)
    assert found["alignment"] == pytest.approx(1)
    assert found["sharp_slack"] == pytest.approx(0, abs=1e-12)
    assert found["gap"] == pytest.approx(0, abs=1e-12)
    # Pairs that share nothing are not aligned: the bound is of those that do.
    assert found["slack_unrelated"] < -0.1
    assert found["sharp_slack_unrelated"] < -0.1


def test_losses_are_expectations_counted_in_loops():
    world, h_seed = hierarchy(), 3
    graph = graph_of(world)
    a = graph.adjacency
    x2 = targets(world, graph.masked)
    h, h_g = drawn(len(a), x2.shape[1], h_seed), drawn(len(x2), x2.shape[1], 4)
    found = bound(h, x2, h_g, graph)
    rows, columns = (range(size) for size in a.shape)
    d1, d2 = a.sum(1), a.sum(0)
    loss = sum(
        a[i, j] * (h[i] - x2[j]).square().sum() for i, j in product(rows, columns)
    )
    align = sum(
        a[i, t] * a[j, t] / d2[t] * (h[i] @ h[j])
        for i, j, t in product(rows, rows, columns)
    )
    same = [[torch.equal(u < 0, v < 0) for v in graph.visible] for u in graph.visible]
    # Each mask has a quarter of the mass.
    unrelated = sum(
        4 * d1[i] * d1[j] * (h[i] @ h[j]) for i, j in product(rows, rows) if same[i][j]
    )
    eps = sum(d2[j] * (h_g[j] - x2[j]).square().sum() for j in columns)
    assert found["loss"] == pytest.approx(float(loss))
    assert found["alignment"] == pytest.approx(float(align))
    assert found["unrelated"] == pytest.approx(float(unrelated))
    assert found["eps"] == pytest.approx(float(eps))
    assert found["gap"] == pytest.approx(float(loss + align / 2 - 0.5))
    assert found["slack"] == pytest.approx(float(loss + align / 2 - 0.5 + eps))
    mean = (a / d2).T @ h
    left = sum(d2[j] * (x2[j] - mean[j]).square().sum() for j in columns)
    assert found["sharp_slack"] == pytest.approx(float(left))
    seen = sum(d2[j] * (a[:, j] > 0).sum() for j in columns)
    assert found["neighbours"] == pytest.approx(float(seen))


def test_constant_outputs_are_aligned_but_no_more_than_unrelated_ones():
    world = hierarchy()
    graph = graph_of(world)
    x2 = targets(world, graph.masked)
    h = drawn(1, x2.shape[1], 0).expand(len(graph.visible), -1)
    found = bound(h, x2, x2, graph)
    assert found["alignment"] == pytest.approx(1)
    assert found["alignment_gap"] == pytest.approx(0, abs=1e-12)


def test_outputs_and_targets_are_those_of_whole_images():
    world = hierarchy()
    mae = MAE(world, rng(), mask_ratio=0.5).eval()
    graph = graph_of(world, 2)
    images = finite_world(world)
    mask = torch.tensor([1, 0, 0, 1])
    masking = masking_of(mask.bool().expand(12, -1), mae.device)
    assert masking.ids_keep[0].tolist() == [1, 2]
    assert masking.ids_masked[0].tolist() == [0, 3]
    pictures = images_of(world, images.tokens)
    with torch.inference_mode():
        slow = mae.forward_decoder(mae.forward_encoder(pictures, masking), masking)
        h, x2 = outputs(mae, world, graph.visible), targets(world, graph.masked)
    target = mae.target(pictures, masking).flatten(1).double()
    for i, token in enumerate(images.tokens):
        seen = token.masked_fill(mask == 1, -1)
        row = (graph.visible == seen).all(1).nonzero().item()
        flat = normalize(slow[i].flatten().double(), dim=0)
        torch.testing.assert_close(h[row], flat, atol=1e-5, rtol=0)
        hidden = token.masked_fill(mask == 0, -1)
        column = (graph.masked == hidden).all(1).nonzero().item()
        torch.testing.assert_close(x2[column], normalize(target[i], dim=0))


def test_a_wide_decoder_can_say_every_target_and_a_narrow_one_cannot():
    world = hierarchy(rules="random:8", symbols=4)
    graph = graph_of(world, 2)
    x2, d2 = targets(world, graph.masked), graph.adjacency.sum(0)
    eps = {}
    for width in (4, 32):
        settings = {"decoder_embed_dim": width, "decoder_num_heads": 2}
        mae = MAE(world, rng(), mask_ratio=0.5, **settings).requires_grad_(False)
        with torch.inference_mode():
            h_g = invert(mae, graph.masked, x2, rng(1))
        torch.testing.assert_close(h_g.norm(dim=1), torch.ones(len(h_g)).double())
        eps[width] = float(d2 @ (h_g - x2).square().sum(1))
    assert eps[32] < 0.1
    assert eps[4] > 0.3


def test_the_metric_is_the_bound_of_the_methods_own_outputs():
    world = hierarchy()
    mae = MAE(world, rng(), mask_ratio=0.25).eval().requires_grad_(False)
    with torch.inference_mode():
        batch = world.sample(2, rng())
        found = alignment_bound(mae, world, batch, rng(1))
        graph = graph_of(world)
        h, x2 = outputs(mae, world, graph.visible), targets(world, graph.masked)
    for name in ("loss", "alignment", "unrelated", "gap", "neighbours"):
        assert found[name] == pytest.approx(bound(h, x2, x2, graph)[name])
    assert 0 <= found["eps"] < 1
    assert found["slack"] == pytest.approx(found["gap"] + found["eps"])
    # An untrained decoder says next to the same of all views.
    assert found["loss"] > 1
    assert found["neighbours"] > 2


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_masks_of_the_metric_are_those_of_the_method(ratio, monkeypatch):
    monkeypatch.setattr("mae_bench.metrics.alignment_bound.STEPS", 2)
    world = hierarchy()
    mae = MAE(world, rng(), mask_ratio=ratio).requires_grad_(False)
    found = alignment_bound(mae, world, world.sample(2, rng()), rng())
    graph = graph_of(world, mae.masking(1, rng()).ids_masked.shape[1])
    h, x2 = outputs(mae, world, graph.visible), targets(world, graph.masked)
    assert found["loss"] == pytest.approx(bound(h, x2, x2, graph)["loss"])


def test_what_has_no_finite_world_is_skipped():
    world, deep, tree = hierarchy(), RandomHierarchy(rng()), GaussianTree(rng())

    def ask(method, dataset):
        alignment_bound(method, dataset, dataset.sample(2, rng()), rng())

    with pytest.raises(Skip, match="Pixels does not predict"):
        ask(Pixels(world, rng()), world)
    for other in (deep, tree):
        with pytest.raises(Skip, match="depth 1"):
            ask(MAE(other, rng()), other)
    with pytest.raises(Skip, match="leaves of 2 pixels"):
        ask(MAE(world, rng(), patch_size=1), world)
    for settings in ({"mask_family": "block"}, {"norm_pix_loss": True}):
        with pytest.raises(Skip, match="not uniform, or the targets"):
            ask(MAE(world, rng(), **settings), world)
