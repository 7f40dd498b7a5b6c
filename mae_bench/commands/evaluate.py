"""Anyone's encoder: evaluate."""

from __future__ import annotations

from typing import Annotated

import typer

from mae_bench.commands import verbs
from mae_bench.commands.console import end, errors_in_one_line, say
from mae_bench.commands.options import Evaluating, Json, spread

SPEC = (
    "Weights of a ViT (MAE, timm, Hugging Face, DINOv2, MoCo v3, Lightning): a file or "
    "a folder, FILE:PART for one encoder of several. Or code that gives an nn.Module: "
    "file.py:function, package.module:function."
)


@errors_in_one_line
@spread(Evaluating)
def evaluate(
    wish: Evaluating,
    spec: Annotated[str, typer.Argument(help=SPEC)],
    as_json: Json = False,
) -> None:
    """Measure an encoder from elsewhere and place it in the leaderboard."""
    from mae_bench.verdicts.standings import render

    found = verbs.evaluation(wish, spec)
    if not as_json:
        say(render(found.board))
    end(found.failed, found.folder, as_json)
