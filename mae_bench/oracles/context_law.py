"""How much a symbol of a random hierarchy tells of another, far away in the tree.

Let T be a tuple of siblings with parent Z, and X another node. Their path goes from Z
up to the lowest common ancestor and down to X, over d edges; on it, between Z and X,
stand d - 1 nodes, each of which chose one of m productions. What is known of T is
known of Z, for no two symbols share a production; so T's synonyms, the m productions
of Z, have the same law of X, and tuples of another parent have another one.

*The common ancestor.* It passes on a pair of children (a, b). Of v m productions, drawn
without replacement from v^s, a share of 1/v has a in a's place, about m, and the law of
b given a is the histogram of as many draws, of variance (1 - m/v^(s-1)) (1 - 1/v)/(v m)
about 1/v. *A node below it.* It passes on the histogram of its m productions, of
variance (1 - 1/v)/(v m). A composition Σ_b δ(b | a) δ(x | b) has v terms of mean 0, so
each further node multiplies the variance by (1 - 1/v)/m. Over a's and x's

    V = E (P(x | Z) - P(x))² = (1/v) (1 - m/v^(s-1)) ((1 - 1/v)/m)^(d-1),

to leading order in m (1/m is E 1/N of a count N of mean m, which is larger; and symbols
are not equally likely). **At m = v^(s-1) it is nought at every distance**: every
string is as likely, and from strings alone nothing can be learned, by whatever
predictor. With s = 2 that is m = v; of our quadtrees, s = 4, it is m = v³.

References:
    Cagnetta & Wyart 2024, arXiv 2406.00048; Korchinski, Favero & Wyart 2026, arXiv
    2605.27734, of which the abstract and a caption were read: the derivation is ours.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn.functional import one_hot

Rules = Sequence[Int64[Tensor, "v _ s"]]


def variance(rules: Rules, ancestor: int, tuple_level: int, level: int) -> float:
    """E (P(x | Z) - P(x))² of one grammar, exactly; over places, classes and symbols.

    Time and memory are those of the pairs of places, O(s^(2 depth) v²).

    Args:
        rules: Of each level from the root down.
        ancestor: Level of the lowest common ancestor, 0 the root.
        tuple_level: That of Z, below it.
        level: That of X, below the ancestor too; of the nodes below one child of the
            ancestor X is the first.

    Raises:
        ValueError: The levels are not below the ancestor, or not in the tree.
    """
    if (
        not 0
        <= ancestor
        < min(tuple_level, level)
        <= max(tuple_level, level)
        <= len(rules)
    ):
        raise ValueError(
            f"levels {tuple_level} and {level} below an ancestor of {ancestor}; choose "
            f"within the {len(rules)} levels of the tree"
        )
    top = rules[ancestor]
    joints = _pairs(top, _marginal(rules[:ancestor], len(rules[0])).to(top.device))
    for rule in rules[ancestor + 1 : tuple_level]:
        joints = [down.T @ joint for joint in joints for down in passed_on(rule)]
    for rule in rules[ancestor + 1 : level]:
        joints = [joint @ passed_on(rule)[0] for joint in joints]
    return float(torch.stack([_spread(joint) for joint in joints]).mean())


def expected_variance(v: int, m: int, distance: int, s: int = 4) -> float:
    """V to leading order, see above.

    >>> expected_variance(8, 8, 3, s=2)  # all strings are as likely
    0.0
    """
    lost: float = ((1 - 1 / v) / m) ** (distance - 1)
    return (1 - m * float(v) ** (1 - s)) / v * lost


def passed_on(rule: Int64[Tensor, "v m s"]) -> Float64[Tensor, "s v v"]:
    """P(child in this place | parent)."""
    return one_hot(rule, len(rule)).double().mean(1).movedim(1, 0)


def _marginal(rules: Rules, v: int) -> Float64[Tensor, " v"]:
    """Law of a level's symbols, over its places; each as likely of the root."""
    device = rules[0].device if rules else None
    law = torch.full((v,), 1 / v, dtype=torch.float64, device=device)
    for rule in rules:
        law = passed_on(rule).mean(0).T @ law
    return law


def _pairs(
    rule: Int64[Tensor, "v m s"], law: Float64[Tensor, " v"]
) -> list[Float64[Tensor, "v v"]]:
    """Joint law of the children in each pair of different places."""
    v, m, s = rule.shape
    hot = one_hot(rule, v).double() * (law[:, None, None, None] / m).sqrt()
    return [
        torch.einsum("pra,prb->ab", hot[:, :, i], hot[:, :, j])
        for i in range(s)
        for j in range(s)
        if i != j
    ]


def _spread(joint: Float64[Tensor, "v v"]) -> Float64[Tensor, ""]:
    """E over a of the mean over x of (P(x | a) - P(x))²."""
    p, q = joint.sum(1, keepdim=True), joint.sum(0)
    given = torch.where(p > 0, joint / p.clamp(min=1e-300), q)
    return (p * (given - q).square()).sum() / len(q)
