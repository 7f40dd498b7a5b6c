"""How many patches lie in a row: what is said, what shapes tell, and what places show.

As many patches make an oblong grid as a square one, and weights do not tell which. A
patch is placed more like the one below it than like others, and so an oblong grid is
seen in its places.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from mae_bench.encoders.facts import Facts, said_alike
from mae_bench.encoders.layouts import BadCheckpoint, Layout, State, misfit
from mae_bench.encoders.names import depth_of

# Mean cosines: sines and cosines on oblong grids differ by 0.17 from a square one's
# and more, on square ones by 0.12 at most; what was never trained has none.
ALIKE, MARGIN = 0.25, 0.15


def sizes_of(
    layout: Layout, named: State, facts: Facts | None = None
) -> dict[str, int]:
    """Settings of the ViT that the shapes of weights in MAE's names tell.

    Raises:
        BadCheckpoint: Patches or a grid that are not square, or sizes that are not
            those that are said.
    """
    facts = facts or Facts()
    kernel, places = named["patch_embed.proj.weight"], named["pos_embed"]
    word = layout.theirs("patch_embed.proj.weight")[0]
    if kernel.ndim != 4 or kernel.shape[2] != kernel.shape[3]:
        raise misfit(word, kernel, "[d, c, p, p], of square patches")
    if len(kernel) % 4:
        raise misfit(word, kernel, "[d, c, p, p], d a multiple of 4")
    word = layout.theirs("pos_embed")[0]
    if places.ndim != 3 or len(places) != 1 or places.shape[2] != len(kernel):
        raise misfit(word, places, f"[1, l, {len(kernel)}], l patches")
    registers = named.get("register_tokens")
    if registers is not None and registers.ndim != 3:
        raise misfit("register_tokens", registers, f"[1, r, {len(kernel)}]")
    grid = grid_of(named)
    if not grid:
        raise misfit(word, places, "[1, l, d] or [1, 1 + l, d], l a square number")
    sizes = {
        "image_size": grid * kernel.shape[2],
        "channels": kernel.shape[1],
        "patch_size": kernel.shape[2],
        "embed_dim": kernel.shape[0],
        "depth": depth_of(named, "blocks"),
    }
    theirs = {
        "patch_size": sizes["patch_size"],
        "image_size": sizes["image_size"],
        "num_channels": sizes["channels"],
        "hidden_size": sizes["embed_dim"],
        "num_hidden_layers": sizes["depth"],
        "num_register_tokens": registers_in(named),
    }
    said_alike(facts, theirs, "the weights have")
    if facts.image_size is None and (width := oblong(places[0, -grid * grid :])):
        raise BadCheckpoint(
            f"{word} places {grid * grid} patches in rows of {width}, as it seems, not "
            f"of {grid}; a grid that is not square is not supported: give "
            "module:function; if it is square, say image_size in a config.json"
        )
    return sizes


def registers_in(named: State) -> int:
    """Number of register tokens."""
    return named["register_tokens"].shape[1] if "register_tokens" in named else 0


def grid_of(named: State) -> int:
    """Patches a side, with or without rows for the tokens; 0 if not square."""
    places = named["pos_embed"][0]
    rows, registers = len(places), registers_in(named)
    tokens = [0]
    if "cls_token" in named:
        # A row of zeros among others is the class token's, as in MAE.
        tokens = [1, 0] if places[0].any() or not places.any() else [1]
    if registers:
        tokens.append(registers + int("cls_token" in named))
    sides = [(rows - free, round(max(0, rows - free) ** 0.5)) for free in tokens]
    return next((s for count, s in sides if s and s * s == count), 0)


def oblong(places: Float[Tensor, "l d"]) -> int:
    """Patches in a row of a grid that is seen not to be square; 0 if none is seen."""
    x = places.double() - places.double().mean(0)
    x = F.normalize(x, dim=1)
    count = len(x)
    alike = {
        width: float((x[:-width] * x[width:]).sum(1).mean())
        for width in range(2, count // 2 + 1)
        if count % width == 0
    }
    square = alike.get(round(count**0.5))
    if square is None:
        return 0
    best = max(alike, key=lambda width: alike[width])
    return best if alike[best] > max(ALIKE, square + MARGIN) else 0


def front_of(named: State, grid: int) -> torch.Tensor:
    """Rows of ``pos_embed`` that are the tokens', not the patches'."""
    places = named["pos_embed"][0]
    return places[: len(places) - grid * grid]
