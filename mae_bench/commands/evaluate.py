"""Anyone's encoder: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mae_bench.commands.console import console, end, errors_in_one_line, say
from mae_bench.commands.options import (
    Datasets,
    Device,
    Folder,
    Json,
    Seeds,
    Tier,
    TierName,
)

SPEC = "A checkpoint (MAE, timm, Hugging Face), or module:function for an nn.Module."


@errors_in_one_line
def evaluate(
    spec: Annotated[str, typer.Argument(help=SPEC)],
    dataset: Datasets = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of a dataset, NAME=VALUE; may be repeated."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="In the leaderboard; from SPEC by default.")
    ] = None,
    tier: Tier = TierName.quick,
    seeds: Seeds = None,
    image_size: Annotated[
        int | None, typer.Option(min=1, help="Side of the images that it is shown.")
    ] = None,
    num_heads: Annotated[
        int | None, typer.Option(min=1, help="Attention heads of a checkpoint.")
    ] = None,
    results: Folder = Path("results"),
    output: Annotated[Path, typer.Option(help="Folder of what is written.")] = Path(
        "evaluated"
    ),
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Measure an encoder from elsewhere and place it in the leaderboard."""
    from mae_bench.encoders import evaluate as verb
    from mae_bench.encoders import outsider
    from mae_bench.experiments.leaderboard import LEADERBOARD
    from mae_bench.records.registry import id_of
    from mae_bench.records.schema import TIERS
    from mae_bench.runs import launch
    from mae_bench.verdicts import rank

    (where,) = launch.devices(device, 1)
    worlds = verb.worlds_of(
        dataset or [id_of(world) for world in LEADERBOARD.datasets], settings or []
    )
    module = outsider.load(spec, num_heads)
    entrant = verb.Entrant(
        name or (Path(spec).stem if Path(spec).exists() else spec.rpartition(":")[2]),
        outsider.Reader(module, where, image_size),
        {
            "source": Path(spec).name,
            "sha256": outsider.identity(spec, module),
            "image_size": image_size,
            "num_heads": num_heads,
        },
    )
    path = verb.evaluate(
        entrant,
        worlds,
        tier=tier,
        seeds=seeds or TIERS[tier].seeds,
        device=where,
        folder=output,
        told=lambda line: console.print(line, highlight=False),
    )
    board, lines = verb.place(path, worlds, results, tier)
    rank.write(board, output)
    for line in lines:
        console.print(line, highlight=False)
    if not as_json:
        say(rank.render(board))
    end(verb.failures(path), output, as_json)
