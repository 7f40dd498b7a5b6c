"""Anyone's encoder: evaluate."""

from __future__ import annotations

from typing import Annotated

import typer

from mae_bench.commands import judging, own, verbs
from mae_bench.commands.console import complain, end, errors_in_one_line, say
from mae_bench.commands.options import Evaluating, Json, spread
from mae_bench.records.schema import TIERS, UsageError

SPEC = (
    "Weights of a ViT (MAE, timm, Hugging Face, DINOv2, MoCo v3, Lightning): a file or "
    "a folder, FILE:PART for one encoder of several. Or code that gives an nn.Module: "
    "file.py:function, package.module:function."
)

Sweep = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="NAME=LEVEL,LEVEL",
        help="Encoders along a factor, one for each level and seed, which are judged "
        "and not ranked: SPEC is a pattern such as enc_{mask_ratio}_{seed}.pt, or a "
        "function that takes mask_ratio and seed. May be repeated.",
    ),
]


@errors_in_one_line
@spread(Evaluating)
def evaluate(
    wish: Evaluating,
    spec: Annotated[str, typer.Argument(help=SPEC)],
    sweep: Sweep = None,
    predictions: judging.Named = None,
    as_json: Json = False,
) -> None:
    """Measure an encoder from elsewhere and place it in the leaderboard."""
    if sweep:
        _judge_sweep(wish, spec, sweep, predictions or [], as_json=as_json)
        return
    if predictions:
        raise UsageError("--prediction is of encoders along a factor; give --sweep")
    found = verbs.evaluation(wish, spec)
    from mae_bench.verdicts.standings import render

    if not as_json:
        say(render(found.board))
    end(found.failed, found.folder, as_json)


def _judge_sweep(
    wish: Evaluating,
    spec: str,
    sweep: list[str],
    predictions: list[str],
    *,
    as_json: bool,
) -> None:
    """Which theory predicts what comes out along a factor."""
    unlike = (wish.settings, wish.name, wish.results, wish.track != "pixels")
    if any(unlike):
        raise UsageError(
            "--set, --name, --results and --track are of the leaderboard; a --sweep "
            "is judged, in the worlds of the predictions"
        )
    tier = wish.tier.value
    swept = own.Swept(
        sweep,
        wish.seeds or range(TIERS[tier].seeds),
        tier,
        wish.datasets or (),
        wish.device,
        wish.image_size,
        wish.num_heads,
    )
    found, failed = own.of_encoders(spec, swept, predictions, output=wish.output)
    judging.told(found, wish.output, as_json=as_json, whole=bool(predictions))
    for where, why in failed.items():
        complain(f"{where}: {why}")
    if failed:
        raise typer.Exit(1)
