"""On an emulated GPU every oracle that is given tensors answers as on the CPU."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.datasets.random_hierarchy import RandomHierarchy, draw_rules
from mae_bench.datasets.two_modes import TwoModes
from mae_bench.oracles import (
    aligned_views,
    belief_propagation,
    ceilings,
    check_covariance,
    context_law,
    cumulative_score,
    filtered_tokens,
    finite_hierarchy,
    forecasting,
    gaussian_conditioning,
    lejepa_bounds,
    linear_mae,
    linear_reach,
    located_latents,
    mask_graph,
    mode_frequency,
    principal_angle,
    self_regression,
    two_sample_floor,
)
from tests.emulated import emulated, here

HOUSE = Path(belief_propagation.__file__).parent


def rng(device: str = "cpu", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=rng(seed=seed), dtype=torch.float64)


# Worlds are made on the CPU, and follow to where they are asked; so each is new.
def tree() -> GaussianTree:
    return GaussianTree(rng())


def hierarchy() -> RandomHierarchy:
    return RandomHierarchy(rng())


def causes() -> InvertibleTree:
    return InvertibleTree(rng())


def two_modes() -> TwoModes:
    return TwoModes(rng())


DEPTH, SIDE = hierarchy().depth, causes().image_size
RULES = [draw_rules("random", 2, 4, rng(seed=level)) for level in range(2)]
X = draw(20, 16)
C, NOISE = X.T @ X / 20, torch.eye(16).double()
CROSS = draw(2, 16, seed=1) @ C / 9
MASKS = (draw(3, 16, seed=2) > 0).double()
SQUARES = MASKS.view(3, 4, 4).long()
HALF = torch.cat([torch.ones(8), torch.zeros(8)])
TOKENS = torch.cartesian_prod(*[torch.arange(2)] * 4)
ODDS = torch.full((16,), 1 / 16, dtype=torch.float64)
HIDE = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 1]])
GRAPH = mask_graph.mask_graph(TOKENS, ODDS, HIDE)
A, F = GRAPH.adjacency, draw(len(GRAPH.adjacency), 3)
TARGETS = draw(GRAPH.adjacency.shape[1], 3, seed=3)
LEAVES = (draw(4, 16, seed=4) > 0).float()
PIXELS = (draw(4, 64, seed=5) > 0).float()
LAW = draw(1, 3, 4, seed=7).softmax(2)
ONES = torch.ones(1, 2, 2)
HALVES = torch.cat([torch.ones(4, 32), torch.zeros(4, 32)], 1)


def batch(world: Any, at: Callable[[Any], Any]) -> Any:
    """Images that are drawn where tensors are put."""
    return world.sample(4, rng(at(X).device.type, 1))


def leaf_masks(at: Callable[[Any], Any]) -> Any:
    side = 2**DEPTH
    return at((draw(4, side**2, seed=6) > 0).float())


# Room and function -> what it answers, where ``at`` puts a tensor elsewhere.
bp, gc, lm = belief_propagation, gaussian_conditioning, linear_mae
mg, ts = mask_graph, two_sample_floor
CASES: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "__init__.check_covariance": lambda at: check_covariance(at(C)),
    "aligned_views.kept_subspace": lambda at: aligned_views.kept_subspace(
        at(C), at(NOISE), 3, "joint_embedding"
    ),
    "belief_propagation.posteriors": lambda at: bp.posteriors(
        hierarchy(), batch(hierarchy(), at).images, leaf_masks(at)
    ),
    "belief_propagation.leaf_log_likelihood": lambda at: bp.leaf_log_likelihood(
        hierarchy(), batch(hierarchy(), at).images, leaf_masks(at)
    ),
    "belief_propagation.propagate": lambda at: bp.propagate(
        [at(rule) for rule in RULES], at(draw(3, 16, 4))
    ),
    "belief_propagation.bayes_accuracy": lambda at: bp.bayes_accuracy(
        {"level_0": at(draw(3, 1, 4).softmax(-1))},
        {"level_0": at(torch.eye(4)[:3].flatten(1))},
    ),
    "belief_propagation.reconstruction": lambda at: bp.reconstruction(
        hierarchy(), batch(hierarchy(), at).images, leaf_masks(at)
    ),
    "ceilings.pixel_mask": lambda at: ceilings.pixel_mask(at(LEAVES), 2, 1),
    "ceilings.recoverable": lambda at: ceilings.recoverable(
        tree(), batch(tree(), at), at(PIXELS), rng(at(X).device.type)
    ),
    "ceilings.least_error": lambda at: ceilings.least_error(
        tree(), batch(tree(), at).images, at(PIXELS)
    ),
    "ceilings.leaf_mask": lambda at: ceilings.leaf_mask(
        causes(), at(torch.ones(2, SIDE**2))
    ),
    "context_law.variance": lambda at: context_law.variance(
        [at(rule) for rule in RULES], 0, 1, 2
    ),
    "context_law.passed_on": lambda at: context_law.passed_on(at(RULES[0])),
    "finite_hierarchy.images_of": lambda at: finite_hierarchy.images_of(
        hierarchy(), at(torch.zeros(2, 4**DEPTH).long())
    ),
    "cumulative_score.mean_log_likelihoods": lambda at: cumulative_score.scores(
        cumulative_score.mean_log_likelihoods(at(C[None, :3, :3]), at(C[:3, :3]))
    ),
    "cumulative_score.scores": lambda at: cumulative_score.scores(at(X[:2])),
    "filtered_tokens.token_law": lambda at: filtered_tokens.token_law(
        hierarchy(), batch(hierarchy(), at).images, leaf_masks(at), cut=1
    ),
    "filtered_tokens.cross_entropy": lambda at: filtered_tokens.cross_entropy(
        at(LAW), at(torch.tensor([[0, 1, 2]])), at(torch.ones(1, 3))
    ),
    "filtered_tokens.divergence": lambda at: filtered_tokens.divergence(
        at(LAW), at(LAW.flip(2).log()), at(torch.ones(1, 3))
    ),
    "forecasting.dependence": lambda at: forecasting.dependence(
        at(C), at(CROSS), at(HALF)
    ),
    "forecasting.canonical_correlations": lambda at: forecasting.canonical_correlations(
        at(C), at(HALF)
    ),
    "forecasting.tail_sum": lambda at: forecasting.tail_sum(
        at(torch.tensor([0.5, 0.25]).double()), 2
    ),
    "gaussian_conditioning.conditional_mean": lambda at: gc.conditional_mean(
        at(C), at(X[:3]), at(MASKS)
    ),
    "gaussian_conditioning.bayes_error": lambda at: gc.bayes_error(at(C), at(MASKS)),
    "gaussian_conditioning.recoverable_r2": lambda at: gc.recoverable_r2(
        at(C), at(CROSS), at(MASKS)
    ),
    "gaussian_conditioning.best_code": lambda at: gc.best_code(
        at(C), at(CROSS), at(MASKS), 2
    ),
    "lejepa_bounds.isotropy_error": lambda at: lejepa_bounds.isotropy_error(at(C)),
    "lejepa_bounds.orthogonal_distance": lambda at: lejepa_bounds.orthogonal_distance(
        at(X), at(X.flip(0))
    ),
    "linear_mae.solve_all_pixels": lambda at: lm.solve_all_pixels(at(C), 0.5, 2),
    "linear_mae.all_ranks_loss": lambda at: lm.all_ranks_loss(at(C), 0.5, 2),
    "linear_mae.solve_denoising": lambda at: lm.solve_denoising(at(C), 0.5),
    "linear_mae.solve_masked_only": lambda at: lm.solve_masked_only(at(C), 0.5, 2),
    "linear_mae.all_pixels_loss": lambda at: lm.all_pixels_loss(at(C), at(C), 0.5, 2),
    "linear_mae.shrunk_covariance": lambda at: lm.shrunk_covariance(at(C), 0.5, 2),
    "linear_mae.patch_blocks": lambda at: lm.patch_blocks(at(C), 2),
    "linear_mae.radius": lambda at: lm.radius(at(C)),
    "linear_mae.out_of_patch_share": lambda at: lm.out_of_patch_share(at(C), 2),
    "linear_reach.best_linear": lambda at: linear_reach.best_linear(at(C), at(NOISE)),
    "located_latents.quadtree_c": lambda at: located_latents.quadtree_c(at(SQUARES)),
    "mask_graph.mask_graph": lambda at: mg.mask_graph(at(TOKENS), at(ODDS), at(HIDE)),
    "mask_graph.normalise": lambda at: mg.normalise(at(A)),
    "mask_graph.augmentation_graph": lambda at: mg.augmentation_graph(at(A)),
    "mask_graph.spectrum": lambda at: mg.spectrum(at(A)),
    "mask_graph.tail_sum": lambda at: mg.tail_sum(at(A), 2),
    "mask_graph.labelling_error": lambda at: mg.labelling_error(
        mg.mask_graph(at(TOKENS), at(ODDS), at(HIDE)), at(TOKENS[:, 0])
    ),
    "mask_graph.spectral_minimiser": lambda at: mg.spectral_minimiser(at(A), 2),
    "mask_graph.spectral_loss": lambda at: mg.spectral_loss(at(F), at(A)),
    "mask_graph.align_loss": lambda at: mg.align_loss(at(F), at(A)),
    "mask_graph.unif_loss": lambda at: mg.unif_loss(at(F), at(A)),
    "mask_graph.asym_loss": lambda at: mg.asym_loss(at(F), at(TARGETS), at(A)),
    "mode_frequency.implied_weight": lambda at: mode_frequency.implied_weight(
        at(torch.full((1, 2, 2), 0.5)), at(torch.stack([ONES, -ONES]))
    ),
    "mode_frequency.mode_posterior": lambda at: mode_frequency.mode_posterior(
        two_modes(), batch(two_modes(), at).images, at(torch.zeros(4, 64))
    ),
    "mode_frequency.least_error": lambda at: mode_frequency.least_error(
        two_modes(), batch(two_modes(), at).images, at(HALVES)
    ),
    "self_regression.coefficients": lambda at: self_regression.coefficients(at(C), 0.1),
    "self_regression.leading": lambda at: self_regression.leading(at(C), 0.1)[0],
    "principal_angle.principal_angle": lambda at: principal_angle.principal_angle(
        at(X[:, :2]), at(X[:, 2:5])
    ),
    "two_sample_floor.two_sample_floor": lambda at: ts.two_sample_floor(
        causes(), batch(causes(), at), at(LEAVES), rng(at(X).device.type)
    ),
    "two_sample_floor.two_sample_r2": lambda at: ts.two_sample_r2(
        causes(), batch(causes(), at), at(LEAVES), rng(at(X).device.type)
    ),
    "two_sample_floor.shared_ancestors": lambda at: ts.shared_ancestors(
        causes(), at(LEAVES)
    ),
}
# What is given no tensor but a world's own, or goes through scipy, and is the host's.
ON_THE_HOST = {
    "filtered_tokens.right": "of a world alone",
    "filtered_tokens.confusion": "of a world alone",
    "filtered_tokens.filters": "of a world alone",
    "belief_propagation.marginals": "of a world alone",
    "belief_propagation.explained_variance": "of a world alone",
    "finite_hierarchy.finite_world": "of a world alone",
    "latent_clustering.spell": "strings that scipy clusters",
    "latent_clustering.name_tuples": "tuples of such strings",
    "latent_clustering.residuals": "rows for scipy's linkage",
    "latent_clustering.cluster": "scipy's linkage",
    "latent_clustering.share_recovered": "scipy's assignment",
    "latent_clustering.recover": "all of these",
}
TENSORS = ("Tensor", "Generator", "Rules", "Batch", "RandomHierarchy", "MaskGraph")


def given_tensors() -> set[str]:
    """Every public function of an oracle that is given a tensor or a world."""
    found = set()
    for path in HOUSE.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = ast.unparse(node.args)
                if any(word in given for word in TENSORS):
                    found.add(f"{path.stem}.{node.name}")
    return found


def told(value: Any) -> Any:
    """An answer as plain numbers, whatever holds it."""
    if isinstance(value, torch.Tensor):
        return here(value).double()
    if isinstance(value, dict):
        return {name: told(one) for name, one in value.items()}
    return [told(one) for one in value] if isinstance(value, list | tuple) else value


def test_no_oracle_that_is_given_tensors_is_left_out() -> None:
    assert CASES.keys() | ON_THE_HOST.keys() == given_tensors()
    assert not CASES.keys() & ON_THE_HOST.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_oracle_answers_on_a_gpu_as_on_the_cpu(name: str) -> None:
    expected = told(CASES[name](lambda x: x))
    with emulated():
        found = told(CASES[name](lambda x: x.to("cuda")))
    torch.testing.assert_close(found, expected)
