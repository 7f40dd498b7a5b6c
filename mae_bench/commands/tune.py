"""From trials to the table of learning rates and budgets that the leaderboards read."""

from __future__ import annotations

from typing import Annotated

import typer

from mae_bench.commands import verbs
from mae_bench.commands.console import errors_in_one_line, say, tell
from mae_bench.commands.options import Folder, Json, Tier, TierName


@errors_in_one_line
def tune(
    results: Folder = None,
    tier: Tier = TierName.quick,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Into the package's learning_rates.csv, which leaderboards read.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose each method's learning rate, by no label, and its steps at equal cost."""
    from mae_bench.experiments._chosen import TABLE
    from mae_bench.records.read import read_rows
    from mae_bench.verdicts import tune as verb

    where = verbs.where_to(results, tier)
    rows = read_rows(where.read / "measurements" / "learning_rates.csv")
    table = verb.tune(rows)
    text = table.to_string(index=False, na_rep="", float_format="{:.6g}".format)
    say(table.to_json(orient="records", indent=1) if as_json else text)
    if ends := verb.at_the_ends(table, rows):
        tell(f"at an end of the grid: {', '.join(ends)}")
    if write:
        verb.write(table, TABLE)
    tell(f"wrote {TABLE}" if write else f"read {where.read}; wrote nothing")
