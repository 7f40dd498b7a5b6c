"""What is claimed, written down before the seeds that judge it are looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_bench.commands.console import complain, errors_in_one_line, say, tell
from mae_bench.commands.options import Json
from mae_bench.records import registry
from mae_bench.records.folders import (
    PUBLISHED_TIER,
    REGISTERED,
    own,
    registrations,
)
from mae_bench.records.schema import TIERS

if TYPE_CHECKING:
    import pandas as pd


@errors_in_one_line
def register(
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            help="Folder of registered.csv; by default the published results in "
            "the root of a checkout; elsewhere they are read, and my_results/quick "
            "written.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if it would.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Register the predictions that are new or have changed: registered.csv."""
    from mae_bench.runs import provenance
    from mae_bench.verdicts import registration as verb

    where, tier = registrations(results), TIERS[PUBLISHED_TIER]
    path, target = where.find(REGISTERED), where.write / REGISTERED
    theories = registry.load_all("theories")
    found = verb.differences(theories, path, tier=tier)
    total = sum(len(theory.predictions) for theory in theories.values())
    if not check:
        added = verb.register(
            theories,
            _seen({where.read, where.write}),
            path,
            tier=tier,
            date=datetime.now(UTC).date().isoformat(),
            commit=provenance.code()["commit"],
            to=target,
        )
    if as_json:
        new_rows = [] if check else [asdict(one) for one in added]
        say(json.dumps({**found._asdict(), "added": new_rows}, indent=1))
    else:
        same = total - len(found.new) - len(found.changed)
        say(f"{len(found.new)} new, {same} unchanged, {len(found.changed)} changed")
        _name("changed", found.changed)
        _name("no longer in the code", found.gone)
    due = bool(found.new or found.changed)
    if check and due:
        _name("not registered", found.new)
        complain(f"{path} is not of this code; run mae-bench register")
        raise typer.Exit(1)
    tell(f"wrote {target}" if due else f"{path} is of this code")


def _name(what: str, predictions: Iterable[str]) -> None:
    for prediction in predictions:
        tell(f"  {what}: {prediction}")


def _seen(folders: set[Path]) -> dict[str, pd.DataFrame]:
    """Rows that were or may have been looked at: those of folders, and one's own."""
    import pandas as pd

    from mae_bench.records.read import read_measurements

    read = [
        read_measurements(place / "measurements")
        for place in {*folders, own(PUBLISHED_TIER)}
    ]
    return {
        name: pd.concat([rows[name] for rows in read if name in rows])
        for name in {name for rows in read for name in rows}
    }
