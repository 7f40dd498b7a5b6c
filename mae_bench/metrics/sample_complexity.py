"""How many strings a clustering needs to recover the latents of a random hierarchy."""

import torch

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.random_hierarchy import RandomHierarchy
from mae_bench.methods import Method
from mae_bench.metrics import Skip, metric
from mae_bench.oracles.latent_clustering import CONTEXTS, recover, samples_needed

MOST_LEAVES = 2**25  # of all strings of a draw


@metric(
    reads="encoder",
    direction="none",
    unit={
        "own/*": "share recovered",
        "elsewhere/*": "share recovered",
        "*": "log2 of strings",
    },
    version=1,
    source="Korchinski, Favero & Wyart 2026, arXiv 2605.27734; reading taken: "
    "oracles/latent_clustering",
)
def sample_complexity(
    method: Method, dataset: Dataset, batch: Batch, generator: torch.Generator
) -> dict[str, float]:
    """log2 of the least number of strings, by context; the rules alone are looked at.

    Recovered is a level whose symbols are told to three quarters of the way from a
    guess to certainty. Strings are the leaves' symbols, without textures and noise.

    Args:
        method: Not looked at.
        dataset: A random hierarchy of two or more levels of rules.
        batch: Not looked at.
        generator: Draws the strings, anew for every number of them.

    Returns:
        ``tokens/level_1``: log2 P*, and so on for contexts and levels (``far_tokens``
        of the lowest alone); none where P* is beyond ``MOST_LEAVES``.
        ``saving/level_1``: that of tokens less that of latents.
        ``own/tokens/level_1``: share recovered from twice P*; and ``elsewhere/...``, if
        the contexts are those of other strings, in which there is nothing.

    Raises:
        Skip: Another world, or a tree without siblings below the root.
    """
    del method, batch
    if not isinstance(dataset, RandomHierarchy):
        raise Skip(f"{type(dataset).__name__} has no tuples of symbols")
    rules = [rule.cpu() for rule in dataset.rules]
    if len(rules) < 2:
        raise Skip("one level of rules has no siblings to be a context")
    most = MOST_LEAVES // 4 ** len(rules)
    stream = torch.Generator().manual_seed(
        int(torch.randint(2**62, (), generator=generator, device=generator.device))
    )
    found: dict[str, float] = {}
    for context in CONTEXTS:
        for level in levels_of(context, len(rules)):

            def share(n: int, context: str = context, level: str = level) -> float:
                return recover(rules, n, context, stream)[level]

            name = f"{context}/{level}"
            needed = samples_needed(share, most)
            if needed is None:
                continue
            found[name] = needed
            twice = min(most, round(2 ** (needed + 1)))
            found[f"own/{name}"] = share(twice)
            other = recover(rules, twice, context, stream, elsewhere=True)
            found[f"elsewhere/{name}"] = other[level]
    for level in levels_of("tokens", len(rules)):
        both = {f"tokens/{level}", f"latents/{level}"}
        if both <= found.keys():
            tokens, latents = found[f"tokens/{level}"], found[f"latents/{level}"]
            found[f"saving/{level}"] = tokens - latents
    return found


def levels_of(context: str, depth: int) -> list[str]:
    """The levels at which a context is tried, the lowest first.

    >>> levels_of("tokens", 3), levels_of("far_tokens", 3), levels_of("far_tokens", 2)
    (['level_2', 'level_1'], ['level_2'], [])
    """
    levels = [f"level_{k}" for k in range(depth - 1, 0, -1)]
    # Parents of the level below the root have no siblings.
    return levels[:-1][:1] if context == "far_tokens" else levels
