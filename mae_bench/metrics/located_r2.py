"""What a code of the visible part tells of the latents that the mask makes shared."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.invertible_tree import InvertibleTree
from mae_bench.methods import Method
from mae_bench.methods.mae import MAE
from mae_bench.methods.reduced_rank import ReducedRank
from mae_bench.metrics import Skip, Split, metric
from mae_bench.metrics.block_r2 import block_r2
from mae_bench.metrics.linear_r2 import linear_r2, principal_axes
from mae_bench.metrics.partial_r2 import explained
from mae_bench.models.masking import FIXED
from mae_bench.oracles.located_latents import locate

SMALLEST = 1e-6  # share of the largest variance below which a direction is rounding


@metric(
    reads="encoder",
    direction="none",
    unit="R2",
    upper=1.0,
    chance=0.0,
    version=1,
    source="Kong et al. 2023, arXiv 2306.04898, Theorems 1 and 2; measured here",
)
def located_r2(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """How much of c(m), and of what is private, the code under the mask m holds.

    c is taken as the theorem has it: z of the sinks of the shared ancestors. Nodes one
    by one are asked for their own ε (the root for itself): unlike z, of which a node's
    parents tell a part, they are independent, so that nothing outside is a function of
    c. The regressions are those of ``block_r2`` and ``linear_r2``, fitted on half of
    the images, chosen on a quarter and reported on the last quarter. Of the masked
    part's private nodes, which no code can tell, there is no row.

    Args:
        method: One with a fixed mask; its ``code``, or else its ``mean``, is read.
        dataset: An invertible tree whose leaves are the method's patches.
        batch: Images with their latents.
        generator: Hands out the mask, which does not depend on it.

    Returns:
        ``c``: R² of c from the code; ``c/linear``: by a linear map. ``code``: R² of
        the whitened code from c, which falls by the share of directions that are not
        functions of c. ``inside/1/0`` and ``outside/2/3``: R² of the own ε of node
        1/0, a shared ancestor, and of the visible part's private node 2/3.
        ``private/eps_1``: of all private ε of a level, given c, by ``explained``.

    Raises:
        Skip: Another world, or no fixed mask of its leaves.
        ValueError: The code is constant or NaN, or there are fewer than 40 images.
    """
    tree, masked = _located(method, dataset, generator)
    c, inside, outside = masked_sides(tree, masked)
    z = torch.cat([own(batch, tree, node, "level") for node in sorted(c)], 1)
    keep = method.masking(len(batch), generator).ids_keep  # type: ignore[operator]
    features = method.features(batch, keep)
    code = features.get("code", features["mean"])
    white = whiten(code)
    sides = {"inside": inside, "outside": outside}
    targets = {"c": z} | {
        f"{side}/{node}": own(batch, tree, node, "eps")
        for side, nodes in sides.items()
        for node in sorted(nodes)
    }
    n = len(batch)
    sizes = [n // 2, n // 4, n - n // 2 - n // 4]
    found: dict[str, float] = block_r2(*_splits(code, targets, sizes))
    found["c/linear"] = linear_r2(*_splits(code, {"": z}, sizes))[""]
    found["code"] = block_r2(*_splits(z, {"": white}, sizes))[""]
    quarters = [n // 4, n // 2 - n // 4, *sizes[1:]]
    for level in sorted({node.partition("/")[0] for node in outside}):
        nodes = sorted(node for node in outside if node.startswith(f"{level}/"))
        eps = torch.cat([targets[f"outside/{node}"] for node in nodes], 1)
        parts = (torch.split(v, quarters) for v in (white, z.double(), eps.double()))
        found[f"private/eps_{level}"] = explained(*parts)
    return found


def masked_sides(
    tree: InvertibleTree, masked: set[str]
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """c(m), the shared ancestors, and the visible part's other nodes, as names.

    Args:
        tree: Gives the graph.
        masked: Names of the masked leaves.
    """
    graph = tree.graph()
    located = locate(graph, masked)
    nodes = {"0/0"} | graph.keys()
    return (
        located.c,
        located.shared_ancestors,
        frozenset(nodes - located.shared_ancestors - located.s_masked),
    )


def own(
    batch: Batch, tree: InvertibleTree, node: str, kind: str
) -> Float[Tensor, "n _"]:
    """Numbers of a node: its z (kind ``level``) or its ε (kind ``eps``).

    The root has no ε; its z stands for it.
    """
    level, k = map(int, node.split("/"))
    values = batch.latents["level_0" if level == 0 else f"{kind}_{level}"]
    count = 1 if level == 0 else len(tree.parents[level - 1])
    return values.view(len(values), count, -1)[:, k]


def whiten(code: Float[Tensor, "n d"]) -> Float64[Tensor, "n r"]:
    """The code on its principal axes, each of variance 1, without constant ones.

    Raises:
        ValueError: The code is constant.
    """
    x = code.double() - code.double().mean(0)
    variances, axes = principal_axes(x)
    if not variances.max() > 0:
        raise ValueError("the code is the same of every image; the encoder collapsed")
    varies = variances > SMALLEST * variances.max()
    return x @ axes[:, varies] / variances[varies].sqrt()


def _located(
    method: Method, dataset: Dataset, generator: torch.Generator
) -> tuple[InvertibleTree, set[str]]:
    """The world, and the names of its masked leaves."""
    if not isinstance(dataset, InvertibleTree):
        raise Skip(f"{type(dataset).__name__} is no invertible tree")
    family = getattr(method, "mask_family", "none")
    if not isinstance(method, MAE | ReducedRank) or family not in FIXED:
        raise Skip(f"{type(method).__name__} has no fixed mask (mask_family {family})")
    masking = method.masking(1, generator)
    leaves = len(dataset.parents[-1])
    if masking.mask.shape[1] != leaves:
        raise Skip(f"{masking.mask.shape[1]} patches are not the world's leaves")
    depth = len(dataset.parents)
    return dataset, {f"{depth}/{leaf}" for leaf in masking.ids_masked[0].tolist()}


def _splits(
    features: Tensor, target: dict[str, Tensor], sizes: list[int]
) -> list[Split[dict[str, Tensor]]]:
    parts = {name: torch.split(z, sizes) for name, z in target.items()}
    return [
        Split(x, {name: part[i] for name, part in parts.items()})
        for i, x in enumerate(torch.split(features, sizes))
    ]
