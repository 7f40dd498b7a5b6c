"""Other people's rows, or one's own: some of them run again."""

from __future__ import annotations

import json
import math
import secrets
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_bench.commands.console import complain, console, errors_in_one_line, say, tell
from mae_bench.commands.options import Budget, Device, Jobs, Json
from mae_bench.commands.words import seconds_of, spoken
from mae_bench.records.folders import published, settings_of
from mae_bench.records.schema import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from mae_bench.records.rows import Measurements

_ALONE = "no other seed tells how far it moves"


@errors_in_one_line
def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of results; the published ones by default.",
            metavar="[FOLDER]",
        ),
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Cells that are drawn.")] = 20,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Of the draw; one that nobody knows by default."),
    ] = None,
    cost: Annotated[
        float | None,
        typer.Option(
            parser=spoken(seconds_of),
            metavar="TIME",
            help="Draw among cells alone that trained no longer than this.",
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="The rows are of this very machine: nothing may differ."
        ),
    ] = False,
    jobs: Jobs = None,
    device: Device = "auto",
    budget: Budget = None,
    as_json: Json = False,
) -> None:
    """Run some cells again: exit 0 they agree, 1 they differ, 2 cannot be run.

    Cells are drawn at random, trained and scored from nothing in a folder that is gone
    afterwards, and held against their rows: digit by digit on the same processor with
    the same libraries, elsewhere by whether the numbers are no further apart than
    rounding can take them. Of rows of which a tenth is forged, 20 cells show one in 88
    of 100 samples.
    """
    from mae_bench.records.read import read_measurements
    from mae_bench.runs import anew
    from mae_bench.verdicts.agreement import compared

    end = math.inf if budget is None else time.monotonic() + budget
    folder = folder or published()
    theirs = read_measurements(folder / "measurements")
    if not theirs:
        raise UsageError(f"no measurements in {folder}")
    chosen = secrets.randbelow(10**9) if seed is None else seed
    drawn = anew.draw(theirs, sample, chosen, math.inf if cost is None else cost)
    tell(f"{len(drawn.keys)} of {drawn.among} cells, drawn with --seed {chosen}")
    if drawn.dear:
        tell(f"of {drawn.dear} that trained for longer, this says nothing", "yellow")
    with tempfile.TemporaryDirectory() as scratch:
        where = device, jobs
        ours, lost = _again(theirs, drawn.keys, folder, Path(scratch), where, end)
    _end(compared(theirs, ours, exact=exact), lost, len(drawn.keys), as_json)


def _again(
    theirs: Measurements,
    keys: Collection[str],
    folder: Path,
    scratch: Path,
    where: tuple[str, int | None],
    end: float,
) -> tuple[Measurements, dict[str, str]]:
    """The rows of cells that were run again, and why others were not."""
    from mae_bench.records.store import Store
    from mae_bench.runs import anew, launch
    from mae_bench.runs.progress import progress

    devices = launch.devices(*where)
    there = {word for rows in theirs.values() for word in rows["precision"]}
    if there - {launch.precision(devices)}:
        raise UsageError(
            f"the rows are of precision {', '.join(sorted(there))}, and {where[0]} "
            f"gives {launch.precision(devices)}; choose another --device"
        )
    store = Store(scratch / "store")
    laid, lost = anew.lay_out(theirs, keys, settings_of(folder), store)
    with progress(len(laid.tasks), console) as told:
        ours = anew.run(laid, store, scratch / "results", devices, end, told)
    ran = {key for rows in ours.values() for key in rows["cell"]}
    late = dict.fromkeys(set(laid.tasks) - ran, "the budget was spent")
    return ours, late | lost


def _end(
    table: pd.DataFrame, lost: Mapping[str, str], drawn: int, as_json: bool
) -> None:
    """Say what was found, and exit accordingly."""
    bad = table[table["says"] == "differs"]
    unknown = table[table["says"] == "unknown"]
    lost = {**dict.fromkeys(unknown["cell"], _ALONE), **lost}
    by_cell = {
        "differ": set(bad["cell"]),
        "within rounding": set(table.loc[table["says"] == "rounding", "cell"]),
        "same": set(table["cell"]),
    }
    seen: set[str] = set(lost) - by_cell["differ"]
    counts = {}
    for word, keys in by_cell.items():
        counts[word] = len(keys - seen)
        seen |= keys
    if as_json:
        shown = json.loads(bad.to_json(orient="records"))
        say(json.dumps({"cells": drawn, **counts, "differs": shown, "lost": lost}))
    else:
        say(_in_words(bad, table, counts, drawn))
    for key, why in sorted(lost.items()):
        complain(f"not compared: cell {key}: {why}")
    if len(bad):
        raise typer.Exit(1)
    if lost:
        raise typer.Exit(2)


def _in_words(
    bad: pd.DataFrame, table: pd.DataFrame, counts: Mapping[str, int], drawn: int
) -> str:
    """What was found, a line for each number that differs."""
    from mae_bench.verdicts.agreement import LIMIT, SHOWN

    lines = [
        f"differs: {' '.join(filter(None, row[list(SHOWN)]))}: "
        f"{row['theirs']} there, {row['ours']} here ({row['apart']:.3g} spreads)"
        for _, row in bad.iterrows()
    ]
    of = table.loc[table["says"] == "rounding", "apart"]
    far = f"; the farthest {of.max():.2g} spreads of {LIMIT:g}" if len(of) else ""
    said = ", ".join(f"{n} {word}" for word, n in counts.items())
    return "\n".join([*lines, f"{drawn} cells, {len(table)} numbers: {said}{far}"])
