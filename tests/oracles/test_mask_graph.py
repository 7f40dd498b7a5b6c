"""Mask graphs against pairs counted in loops, and the spectral loss against descent."""

from collections import defaultdict
from itertools import pairwise, product

import pytest
import torch
from scipy.linalg import subspace_angles
from scipy.optimize import minimize
from scipy.special import comb

from mae_bench.oracles.mask_graph import (
    align_loss,
    all_masks,
    asym_loss,
    augmentation_graph,
    labelling_error,
    mask_graph,
    normalise,
    spectral_loss,
    spectral_minimiser,
    spectrum,
    tail_sum,
    unif_loss,
)


def drawn_world(seed, length=4, letters=2):
    """Every image of the alphabet, with random probabilities."""
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.tensor(list(product(range(letters), repeat=length)))
    odds = torch.rand(len(tokens), generator=draw, dtype=torch.float64) ** 2 + 0.01
    return tokens, odds / odds.sum()


def labelled_world(mid_flip, leaf_flip):
    """A binary label, two parts that copy it, three tokens that copy each, noisily."""
    tokens = torch.tensor(list(product((0, 1), repeat=6)))
    ones = tokens.reshape(-1, 2, 3).sum(2).double()
    up = leaf_flip ** (3 - ones) * (1 - leaf_flip) ** ones
    down = leaf_flip**ones * (1 - leaf_flip) ** (3 - ones)
    zero = ((1 - mid_flip) * down + mid_flip * up).prod(1) / 2
    one = ((1 - mid_flip) * up + mid_flip * down).prod(1) / 2
    labels = torch.arange(2).repeat_interleave(64)
    return tokens.repeat(2, 1), torch.cat([zero, one]), labels


def drawn_adjacency(seed, shape=(9, 7)):
    draw = torch.Generator().manual_seed(seed)
    joint = torch.rand(shape, generator=draw, dtype=torch.float64) ** 3
    return joint / joint.sum()


def drawn_features(seed, n, k, unit=False):
    draw = torch.Generator().manual_seed(seed)
    z = torch.randn(n, k, generator=draw, dtype=torch.float64)
    return z / z.norm(dim=1, keepdim=True) if unit else z


def positive_pairs(adjacency):
    """P(x1, x1+) in loops: both drawn from the same masked part."""
    n, m = adjacency.shape
    pairs = torch.zeros(n, n, dtype=torch.float64)
    for i, j, t in product(range(n), range(n), range(m)):
        pairs[i, j] += adjacency[i, t] * adjacency[j, t] / adjacency[:, t].sum()
    return pairs


def part(image, mask, side, positions):
    """The tokens on one side of a mask, with or without their places."""
    if positions:
        return tuple(t if m == side else -1 for t, m in zip(image, mask, strict=True))
    kept = [t for t, m in zip(image, mask, strict=True) if m == side]
    return tuple(kept + [-1] * (len(image) - len(kept)))


@pytest.mark.parametrize("positions", [True, False])
def test_the_graph_holds_the_probability_of_every_pair(positions):
    tokens, odds = drawn_world(0, letters=3)
    masks = torch.tensor([[1, 0, 0, 1], [0, 0, 1, 0], [1, 1, 1, 0]])
    graph = mask_graph(tokens, odds, masks, positions=positions)
    pairs, views = defaultdict(float), defaultdict(float)
    for (i, image), mask in product(enumerate(tokens.tolist()), masks.tolist()):
        x1, x2 = (part(image, mask, side, positions) for side in (0, 1))
        pairs[x1, x2] += odds[i].item() / 3
        views[x1, i] += odds[i].item() / 3
    rows = [tuple(x1) for x1 in graph.visible.tolist()]
    columns = [tuple(x2) for x2 in graph.masked.tolist()]
    assert sorted(rows) == sorted({x1 for x1, _ in pairs})
    assert sorted(columns) == sorted({x2 for _, x2 in pairs})
    for a, row in zip(rows, graph.adjacency.tolist(), strict=True):
        assert row == pytest.approx([pairs[a, b] for b in columns])
    for a, row in zip(rows, graph.views.tolist(), strict=True):
        assert row == pytest.approx([views[a, i] for i in range(81)])
    torch.testing.assert_close(graph.views.sum(0), odds)


@pytest.mark.parametrize("n_masked", [1, 2, 4])
def test_all_masks_are_different_and_hide_the_same_number(n_masked):
    masks = all_masks(5, n_masked)
    assert len(masks.unique(dim=0)) == len(masks) == comb(5, n_masked)
    assert (masks.sum(1) == n_masked).all()


def test_two_hops_are_the_probability_of_a_positive_pair():
    a = drawn_adjacency(1)
    root = a.sum(1).sqrt()
    pairs = root[:, None] * augmentation_graph(a) * root
    torch.testing.assert_close(pairs, positive_pairs(a))
    values, vectors = spectrum(a)
    assert values[0].item() == pytest.approx(1)
    torch.testing.assert_close(vectors[:, 0].abs(), root)
    torch.testing.assert_close(values[:7], torch.linalg.svdvals(normalise(a)) ** 2)


def test_masks_whose_places_are_known_share_no_node():
    tokens, odds = drawn_world(2)
    masks = all_masks(4, 2)
    together = spectrum(mask_graph(tokens, odds, masks).adjacency).eigenvalues
    each = [mask_graph(tokens, odds, mask[None]).adjacency for mask in masks]
    apart = [spectrum(adjacency).eigenvalues for adjacency in each]
    torch.testing.assert_close(together, torch.cat(apart).sort(descending=True).values)
    assert (together > 1 - 1e-9).sum() == len(masks)
    blind = mask_graph(tokens, odds, masks, positions=False).adjacency
    assert (spectrum(blind).eigenvalues > 1 - 1e-9).sum() == 1


@pytest.mark.parametrize("positions", [True, False])
def test_tails_are_the_same_at_a_ratio_and_its_complement(positions):
    tokens, odds = drawn_world(3, length=5)
    low = mask_graph(tokens, odds, all_masks(5, 2), positions=positions).adjacency
    high = mask_graph(tokens, odds, all_masks(5, 3), positions=positions).adjacency
    assert len(low) != len(high)
    for k in (1, 2, 3):
        assert tail_sum(low, k) == pytest.approx(tail_sum(high, k), abs=1e-12)


@pytest.mark.parametrize("positions", [True, False])
def test_tails_peak_at_half_while_the_labelling_error_grows(positions):
    tokens, odds, labels = labelled_world(0.1, 0.2)
    masks = [all_masks(6, j) for j in range(1, 6)]
    graphs = [mask_graph(tokens, odds, m, positions=positions) for m in masks]
    tails = [tail_sum(graph.adjacency, 1) for graph in graphs]
    assert tails[0] < tails[1] < tails[2] > tails[3] > tails[4]
    errors = [labelling_error(graph, labels) for graph in graphs]
    assert all(b >= a - 1e-12 for a, b in pairwise(errors))
    assert errors[-1] > errors[0] + 0.05


def test_two_images_rarely_share_a_large_masked_part():
    tokens, odds, _ = labelled_world(0.1, 0.2)
    masks = [all_masks(6, j) for j in range(1, 6)]
    d2 = [mask_graph(tokens, odds, m).adjacency.sum(0) for m in masks]
    shared = [p.square().sum() * len(m) for p, m in zip(d2, masks, strict=True)]
    assert shared == sorted(shared, reverse=True)


def test_the_labelling_error_is_that_of_the_best_guess():
    tokens, odds, labels = labelled_world(0.2, 0.1)
    masks = all_masks(6, 4)
    graph = mask_graph(tokens, odds, masks)
    scores = defaultdict(lambda: [0.0, 0.0])
    for i, mask in product(range(len(tokens)), masks.tolist()):
        view = part(tokens[i].tolist(), mask, 0, positions=True)
        scores[view][labels[i]] += odds[i].item() / 15
    slow = sum(min(pair) for pair in scores.values())
    assert labelling_error(graph, labels) == pytest.approx(slow)


def test_the_labelling_error_lies_between_a_seen_and_an_unseen_label():
    tokens, odds = drawn_world(4)
    tokens[:, 0] = torch.arange(16) // 8
    labels = tokens[:, 0]
    seen = mask_graph(tokens, odds, torch.tensor([[0, 1, 1, 1]]))
    assert labelling_error(seen, labels) == pytest.approx(0, abs=1e-12)
    tokens[:, 3] = 0
    unseen = mask_graph(tokens, odds, torch.tensor([[1, 1, 1, 0]]))
    rare = min(odds[:8].sum().item(), odds[8:].sum().item())
    assert labelling_error(unseen, labels) == pytest.approx(rare)


def test_losses_are_the_expectations_counted_in_loops():
    a, z, w = drawn_adjacency(5), drawn_features(5, 9, 3), drawn_features(6, 7, 3)
    gram, d1 = z @ z.T, a.sum(1)
    align = -(positive_pairs(a) * gram).sum()
    unif = sum(d1[i] * d1[j] * gram[i, j] ** 2 for i in range(9) for j in range(9))
    asym = -sum(a[i, j] * (z[i] @ w[j]) for i in range(9) for j in range(7))
    torch.testing.assert_close(align_loss(z, a), align)
    torch.testing.assert_close(unif_loss(z, a), unif)
    torch.testing.assert_close(asym_loss(z, w, a), asym)
    torch.testing.assert_close(spectral_loss(z, a), 2 * align + unif)


@pytest.mark.parametrize("seed", range(5))
def test_the_spectral_loss_is_a_matrix_factorisation(seed):
    a, z = drawn_adjacency(seed), drawn_features(seed, 9, 4)
    aug, f = augmentation_graph(a), a.sum(1, keepdim=True).sqrt() * z
    factorised = (aug - f @ f.T).square().sum() - aug.square().sum()
    torch.testing.assert_close(spectral_loss(z, a), factorised)


@pytest.mark.parametrize("k", [1, 3, 9])
def test_the_minimiser_leaves_the_tail(k):
    a = drawn_adjacency(7)
    best = spectral_loss(spectral_minimiser(a, k), a).item()
    assert best + tail_sum(a, 0) == pytest.approx(tail_sum(a, k), abs=1e-12)
    assert tail_sum(a, 0) == pytest.approx(augmentation_graph(a).square().sum().item())


def descend(loss_of, n, k):
    def loss_and_gradient(flat):
        z = torch.from_numpy(flat).reshape(n, k).clone().requires_grad_()
        loss = loss_of(z)
        return loss.item(), torch.autograd.grad(loss, z)[0].numpy().ravel()

    start = drawn_features(8, n, k).numpy().ravel()
    found = minimize(loss_and_gradient, start, jac=True, tol=1e-14)
    return torch.from_numpy(found.x).reshape(n, k)


def largest_angle(features, adjacency):
    """Between the features, weighted by √d1, and the top eigenvectors of A_aug."""
    k = features.shape[1]
    weighted = adjacency.sum(1, keepdim=True).sqrt() * features
    top = spectrum(adjacency).eigenvectors[:, :k]
    return subspace_angles(weighted.numpy(), top.numpy()).max()


@pytest.mark.parametrize("k", [1, 2, 4])
def test_descent_on_a_small_world_finds_the_top_eigenvectors(k):
    tokens, odds = drawn_world(9, letters=3)
    a = mask_graph(tokens, odds, torch.tensor([[0, 0, 1, 1]])).adjacency
    found = descend(lambda z: spectral_loss(z, a), len(a), k)
    assert largest_angle(found, a) < 1e-4
    assert largest_angle(spectral_minimiser(a, k), a) < 1e-7
    best = spectral_minimiser(a, k)
    torch.testing.assert_close(found @ found.T, best @ best.T, atol=1e-4, rtol=0)
    torch.testing.assert_close(spectral_loss(found, a), spectral_loss(best, a))


@pytest.mark.parametrize("lamb", [0.05, 0.5, 2.0])
def test_the_weight_of_uniformity_scales_the_minimiser_and_keeps_its_span(lamb):
    a = drawn_adjacency(10)
    found = descend(lambda z: align_loss(z, a) / 2 + lamb * unif_loss(z, a), len(a), 2)
    assert largest_angle(found, a) < 1e-4
    best = spectral_minimiser(a, 2) / (2 * lamb**0.5)
    torch.testing.assert_close(found @ found.T, best @ best.T, atol=1e-3, rtol=0)


@pytest.mark.parametrize("seed", range(20))
def test_the_asymmetric_loss_bounds_half_the_alignment(seed):
    a = drawn_adjacency(seed)
    for k in (1, 2, 8):
        h1 = drawn_features(seed, 9, k, unit=True)
        h2 = drawn_features(seed + 100, 7, k, unit=True)
        nearest = torch.nn.functional.normalize(a.T @ h1)  # the least L_asym
        bound = align_loss(h1, a) / 2 - 0.5
        assert asym_loss(h1, h2, a) >= asym_loss(h1, nearest, a) >= bound - 1e-12
    same = torch.ones(9, 1, dtype=torch.float64)
    met = align_loss(same, a) / 2 - 0.5
    torch.testing.assert_close(asym_loss(same, same[:7], a), met)


@pytest.mark.parametrize(("n", "k"), [(9, 3), (4, 8)])
def test_uniformity_is_one_over_the_participation_ratio(n, k):
    z = drawn_features(12, n, k, unit=True)
    flat = torch.full((n, 5), 1 / (5 * n), dtype=torch.float64)
    values = torch.linalg.eigvalsh(z.T @ z / n)
    ratio = values.sum() ** 2 / values.square().sum()
    torch.testing.assert_close(unif_loss(z, flat), 1 / ratio)
    torch.testing.assert_close(unif_loss(z, flat), (z @ z.T).square().mean())
    assert unif_loss(z, flat) >= 1 / min(n, k) - 1e-12


TOKENS, ODDS = drawn_world(13)
MASK = torch.tensor([[0, 0, 1, 1]])
GRAPH = mask_graph(TOKENS, ODDS, MASK)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: all_masks(4, 0), "n_masked is 0"),
        (lambda: all_masks(4, 4), "n_masked is 4"),
        (lambda: mask_graph(TOKENS - 1, ODDS, MASK), "tokens has -1"),
        (lambda: mask_graph(TOKENS, 2 * ODDS, MASK), "probability sums to 2"),
        (lambda: mask_graph(TOKENS, ODDS, 2 * MASK), "masks has entries"),
        (lambda: mask_graph(TOKENS, ODDS, 0 * MASK), "each hide something"),
        (lambda: mask_graph(TOKENS, ODDS, MASK[:0]), "each hide something"),
        (lambda: normalise(torch.eye(3).double()), "no joint probability"),
        (lambda: normalise(torch.eye(2, 3).double() / 2), "without neighbours"),
        (lambda: tail_sum(drawn_adjacency(0), 10), "k is 10"),
        (lambda: spectral_minimiser(drawn_adjacency(0), 0), "k is 0"),
        (lambda: labelling_error(GRAPH, TOKENS[:1, 0]), "1 labels do not fit"),
        (lambda: labelling_error(GRAPH, -TOKENS[:, 3]), "do not fit"),
    ],
)
def test_a_value_out_of_range_is_named(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
