"""One's own rows on the command line: what is named of them, and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_bench.commands import claims
from mae_bench.commands.console import say, tell
from mae_bench.records import registry
from mae_bench.records.folders import OWN
from mae_bench.records.schema import UsageError

if TYPE_CHECKING:
    from mae_bench.verdicts.own import OwnVerdicts

Named = Annotated[
    list[str] | None,
    typer.Option(
        "--prediction",
        help="Of your own: only this one, say K5, of which you say that your rows are "
        "what it speaks of; may be repeated.",
    ),
]


@dataclass(frozen=True)
class Judging:
    """Rows of one's own that are judged in place of the suite's."""

    rows: Annotated[
        Path | None,
        typer.Option(
            "--rows",
            help="CSV of your own: seed, metric, value and factors. Which theory "
            "predicts it?",
        ),
    ] = None
    predictions: Named = None
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="METRIC[/TARGET]=MINE",
            help="What a metric of ours is called in your rows; may be repeated.",
        ),
    ] = None
    output: Annotated[
        Path, typer.Option("--output", "--out", help="Folder for your verdicts.")
    ] = OWN / "judged"


def key_of(name: str) -> str:
    """The id of a prediction that is named, whole or by its number alone.

    Raises:
        UsageError: There is none of that name, or there are several.
    """
    found = ["/".join(pair) for pair in claims.find(name)]
    if len(found) > 1:
        raise UsageError(f"{len(found)} theories have a {name}: {', '.join(found)}")
    if not found:
        known = claims.ids()
        near = registry.nearest(name, [*known, *(k.partition("/")[2] for k in known)])
        said = near if near.count(",") < 3 else "one of mae-bench list theories"
        raise UsageError(f"unknown prediction {name!r}; did you mean {said}?")
    return found[0]


def renaming(word: str, mine: str) -> tuple[str, tuple[str, str]]:
    """A name of one's own, and the metric and target that it stands for."""
    metric, _, target = word.partition("/")
    if metric not in (known := registry.names("metrics")):
        near = registry.nearest(metric, known)
        raise UsageError(f"unknown metric {metric!r}; did you mean {near}?")
    return mine, (metric, target)


def names_of(words: Sequence[str]) -> dict[str, str]:
    """Ours -> one's own, of words ``METRIC=MINE`` or ``METRIC/TARGET=MINE``.

    >>> names_of(["linear_r2/level_0=root"])
    {'linear_r2/level_0': 'root'}

    Raises:
        UsageError: A word that is none of these, or a name that is given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        ours, sign, mine = word.partition("=")
        if not (ours and sign and mine):
            raise UsageError(
                f"--as {word!r}: expected METRIC=MINE or METRIC/TARGET=MINE"
            )
        if ours in found or mine in found.values():
            raise UsageError(f"--as {word!r}: {ours} or {mine} is named twice")
        found[ours] = mine
    return found


def told(found: OwnVerdicts, output: Path, *, as_json: bool, whole: bool) -> None:
    """Say what was found, and where it is written."""
    from mae_bench.verdicts.lacking import in_kinds, numbers_of
    from mae_bench.verdicts.own_words import render, written

    if as_json:
        records = [table.to_json(orient="records", indent=1) for table in found]
        parts = zip(found._fields, records, strict=True)
        say("{" + ",\n".join(f'"{name}": {text}' for name, text in parts) + "}")
    else:
        say(render(found, whole=whole))
    judged, lacking = numbers_of(found.verdicts["prediction"]), len(found.missing)
    why = f": {in_kinds(found.missing)}" if lacking else ""
    tell(
        f"{len(judged)} judged ({written(found.verdicts)}): {', '.join(judged)}; "
        f"{lacking} not{why}"
    )
    tell(f"wrote {output}: my_verdicts.csv, my_forecasts.csv, my_verdicts.html")
