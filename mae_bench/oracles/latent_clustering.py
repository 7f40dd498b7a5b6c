"""Latents of a random hierarchy from strings alone: siblings with a like context.

Iterated from the leaves up. On each level the tuples of siblings that occur are told
apart by the law of their *context*, clustered into v classes, and each class becomes
the symbol of its tuples' parents. The context of a tuple is one symbol below each of
its parent's siblings, the first in its place, apart for each place of the tuple:

* ``latents``: the child of that sibling, as it was recovered itself;
* ``tokens``: the leaf that stands first below it;
* ``far_tokens``: the same, below the siblings of the parent's parent.

*Samples.* Of n strings with k nodes on the tuples' level each tuple is seen about
N = k n / (v m) times, and N/s times in its place. A row of standardised residuals
(count less expected, over √expected) is unit noise in D = s (s-1) v numbers, with a
signal of mean square (N/s) v V, where ``context_law`` has V ~ 1 / (v m^(d-1)). Squared
distances of tuples of two classes exceed those of synonyms by 2 D (N/s) v V, against a
spread of about √(8 D): clustering by distances needs N V above a constant, so

    n = N v m / k  ~  m^d      (v and s are fixed, up to the logarithm of v m).

Clusters are therefore single linkage's, which looks at pairs alone. Whoever averages
over the m synonyms of a cluster gains up to √m: with average linkage P* is an octave
lower, and slopes up to half a power (3.4 for m⁴ on pilot seeds, over m in 4 ... 16).

From Z to ``latents`` d = 3 on every level: up, down, and down again. To ``tokens`` it
is l + 2 for a tuple whose parent stands l levels above the leaves: m³, m⁴, m⁵; and to
``far_tokens`` l + 4: m⁵ at l = 1. (Counted from a tuple of *leaves* to a leaf on the
other side of an ancestor l + 1 levels above them, it is 2 l + 1: the same at l = 1, and
at l = 2 more than an iterated algorithm needs.)

How often a tuple occurs tells of its class as well, with d = 2; the residuals do not
see it, for the claim is about contexts. Of strings that tell nothing they are noise.

References:
    Korchinski, Favero & Wyart 2026, arXiv 2605.27734: its abstract and a caption were
    read; algorithm and derivation are our reading of them.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float64, Int64, UInt8
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mae_bench.oracles.context_law import Rules

CONTEXTS = ("latents", "tokens", "far_tokens")
MOST_SYMBOLS = 32
MOST_TUPLES = 1024  # linkage takes their square; a level with more is not recovered
BLOCK = 2**15  # strings that are spelled at once
GUESSES = 8  # random classes, whose mean is the floor
ASKED = 0.75  # of the way from the floor to 1
LEAST = 16  # strings


def spell(
    rules: Rules, n: int, generator: torch.Generator
) -> list[UInt8[Tensor, "n nodes"]]:
    """Symbols of each level, root first; node i has children s i ... s i + s - 1.

    Raises:
        ValueError: More than 32 symbols, whose tuples are too many to be listed.
    """
    if len(rules[0]) > MOST_SYMBOLS:
        raise ValueError(f"{len(rules[0])} symbols; choose at most {MOST_SYMBOLS}")
    sizes = [min(BLOCK, n - start) for start in range(0, n, BLOCK)]
    blocks = [_spell(rules, size, generator) for size in sizes]
    return [torch.cat(level) for level in zip(*blocks, strict=True)]


def _spell(rules: Rules, n: int, generator: torch.Generator) -> list[Tensor]:
    root = torch.randint(len(rules[0]), (n, 1), generator=generator)
    levels = [root.to(torch.uint8)]
    for rule in rules:
        parent, m = levels[-1].long(), rule.shape[1]
        r = torch.randint(m, parent.shape, generator=generator)
        levels.append(rule.to(torch.uint8)[parent, r].flatten(1))
    return levels


def name_tuples(
    symbols: UInt8[Tensor, "n nodes"], v: int, s: int
) -> tuple[Int64[Tensor, "n parents"], int]:
    """A number for each different tuple of s siblings, and how many there are.

    >>> symbols = torch.tensor([[0, 1, 1, 0], [0, 1, 1, 1]], dtype=torch.uint8)
    >>> name_tuples(symbols, 2, 2)
    (tensor([[0, 1],
            [0, 2]]), 3)
    """
    place = v ** torch.arange(s).flip(0)
    code = (symbols.view(len(symbols), -1, s) * place).sum(2)
    occurs = code.flatten().bincount(minlength=v**s) > 0
    number = occurs.cumsum(0) - 1
    return number[code], int(occurs.sum())


def residuals(
    tuples: Int64[Tensor, "n nodes"],
    count: int,
    heads: Int64[Tensor, "n groups s"],
    v: int,
) -> Float64[Tensor, "count d"]:
    """Standardised residuals of each tuple's contexts, place by place.

    Args:
        tuples: Numbers of the tuples below each node of a level.
        count: How many different ones.
        heads: Of each child of the nodes' common ancestor, the symbol that others see.
        v: Symbols.
    """
    groups, s = heads.shape[1:]
    below = tuples.view(len(tuples), groups, -1)
    width = below.shape[2] // s  # nodes below one child of the ancestor
    blocks = []
    for place in range(below.shape[2]):
        for other in set(range(s)) - {place // width}:
            pair = below[:, :, place] * v + heads[:, :, other]
            seen = pair.flatten().bincount(minlength=count * v).view(count, v).double()
            expected = seen.sum(1, keepdim=True) * (seen.sum(0) / seen.sum())
            blocks.append((seen - expected) / expected.sqrt().clamp(min=1e-9))
    return torch.cat(blocks, 1)


def cluster(rows: Float64[Tensor, "count d"], classes: int) -> Int64[Tensor, " count"]:
    """At most so many classes of rows: those that chains of small distances join."""
    if len(rows) <= classes:
        return torch.arange(len(rows))
    tree = linkage(rows.numpy(), "single")
    return torch.from_numpy(fcluster(tree, classes, "maxclust")).long() - 1


def share_recovered(
    truth: Int64[Tensor, " nodes"],
    tuples: Int64[Tensor, " nodes"],
    classes: Int64[Tensor, " count"],
    v: int,
) -> float:
    """Accuracy of the nodes' classes after best matching, 0 at a guess and 1 at best.

    A guess has the same classes, of other tuples. It may be below 0.
    """
    count = len(classes)
    table = (truth * count + tuples).bincount(minlength=v * count).view(v, count)

    def accuracy(of: Tensor) -> float:
        matched = torch.zeros(v, v, dtype=torch.int64).index_add_(1, of, table).numpy()
        found = linear_sum_assignment(matched, maximize=True)
        return float(matched[found].sum() / matched.sum())

    # A fixed stream: the floor is a number, not a part of the experiment.
    stream = torch.Generator().manual_seed(0)
    orders = [torch.randperm(count, generator=stream) for _ in range(GUESSES)]
    floor = sum(accuracy(classes[order]) for order in orders) / GUESSES
    return (accuracy(classes) - floor) / (1 - floor) if floor < 1 else 0.0


def recover(
    rules: Rules,
    n: int,
    context: str,
    generator: torch.Generator,
    *,
    elsewhere: bool = False,
) -> dict[str, float]:
    """Level -> share of its symbols recovered from n strings, lowest level first.

    Time is O(n l) for strings of l leaves, and n l bytes are kept.

    Args:
        rules: Of each level from the root down, of as many symbols.
        n: Strings, at least 2.
        context: One of ``CONTEXTS``.
        generator: Draws the strings.
        elsewhere: Whether a tuple's context is that of another string: the control, in
            which there is nothing to be found.

    Returns:
        ``level_1`` ... ``level_{L-1}``, which have siblings; of ``far_tokens`` from
        ``level_2`` on, below which parents have siblings too.

    Raises:
        ValueError: No such context, or fewer than two strings.
    """
    if context not in CONTEXTS:
        raise ValueError(f"context {context!r} is none of {', '.join(CONTEXTS)}")
    if n < 2:
        raise ValueError(f"{n} strings; give at least 2")
    v, _, s = rules[0].shape
    levels = spell(rules, n, generator)
    symbols = levels[-1]
    found: dict[str, float] = {}
    above = 1 if context == "far_tokens" else 0
    for level in range(len(rules) - 1, above, -1):
        tuples, count = name_tuples(symbols, v, s)
        if count > MOST_TUPLES:
            return found | {f"level_{k}": 0.0 for k in range(above + 1, level + 1)}
        seen = symbols if context == "latents" else levels[-1]
        stride = seen.shape[1] // s ** (level - above)
        heads = seen[:, ::stride].reshape(n, -1, s).long()
        rows = residuals(tuples, count, heads.roll(1, 0) if elsewhere else heads, v)
        classes = cluster(rows, v)
        truth = levels[level].long().flatten()
        found[f"level_{level}"] = share_recovered(truth, tuples.flatten(), classes, v)
        symbols = classes[tuples].to(torch.uint8)
    return found


def samples_needed(share: Callable[[int], float], most: int) -> float | None:
    """log2 of the least n at which the share reaches ``ASKED``, to an eighth.

    The first power of two that does, then bisection of the octave below it, with a
    draw at each n.

    Returns:
        None if no power of two up to ``most`` does.

    >>> samples_needed(lambda n: n / 4000, 2**14)
    11.5625
    """
    n = LEAST
    while n <= most and share(n) < ASKED:
        n *= 2
    if n > most:
        return None
    low, high = math.log2(n) - 1, math.log2(n)
    for _ in range(3):
        middle = (low + high) / 2
        if share(round(2**middle)) < ASKED:
            low = middle
        else:
            high = middle
    return (low + high) / 2
