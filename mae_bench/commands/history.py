"""Quality and speed over commits: run them, and feed asv what they gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mae_bench.commands.console import errors_in_one_line, say, tell
from mae_bench.commands.options import Again, Experiments, Json, Rerun, Tier, TierName
from mae_bench.records import registry
from mae_bench.records.schema import UsageError

if TYPE_CHECKING:
    from mae_bench.commits.asv_feed import Origin
    from mae_bench.commits.errors import Errors
    from mae_bench.commits.history import Entry

SUBJECT = 50  # characters


def _origin(entry: Entry, kind: str) -> Origin:
    from mae_bench.commits.asv_feed import Origin

    return Origin(
        commit=entry.commit,
        date=int(datetime.fromisoformat(entry.date).timestamp() * 1000),
        kind=kind,
        tier=entry.tier if kind == "quality" else "",
        python=entry.python,
        torch=entry.torch,
    )


def _found(entry: Entry, folder: Path) -> dict[Any, Any]:
    """Series -> errors of a commit; None for all of them if it is a gap.

    Raises:
        UsageError: Its measurements are not its own.
    """
    from mae_bench.commits import asv_feed, errors, history

    others = [name for name in entry.experiments if name != "leaderboard"]
    wanted = [asv_feed.LEADERBOARD] * ("leaderboard" in entry.experiments)
    wanted += [asv_feed.FORECASTS] * bool(others)
    if not entry.measured:
        return dict.fromkeys(wanted)
    rows = history.measurements(folder, entry)
    found = {}
    if asv_feed.LEADERBOARD in wanted:
        found[asv_feed.LEADERBOARD] = errors.headline_errors(rows["leaderboard"])
    if others:
        theories = {n: registry.load("theories", n) for n in registry.names("theories")}
        found[asv_feed.FORECASTS] = errors.forecast_gaps(rows, theories)
    return {series: points for series, points in found.items() if points}


def _feed(
    entry: Entry, folder: Path, asv: Path, machine: dict[str, Any]
) -> tuple[Entry, Errors]:
    """Feed asv; measurements that are refused are a gap, and said to be one.

    Returns:
        The entry, and the errors of all series, none of a gap.
    """
    from dataclasses import replace

    from mae_bench.commits import asv_feed

    if entry.status == "missing":
        return entry, {}
    try:
        found = _found(entry, folder)
    except UsageError as error:
        entry = replace(entry, status="error", reason=str(error))
        found = _found(entry, folder)
    asv_feed.feed(asv, machine, _origin(entry, "quality"), found)
    return entry, {point: at for of in found.values() if of for point, at in of.items()}


def _line(entry: Entry) -> str:
    """One commit: hash, date, subject, how it went, seconds or the reason."""
    subject = entry.subject
    if len(subject) > SUBJECT:
        subject = subject[: SUBJECT - 3] + "..."
    words = [entry.commit[:7], entry.date[:10], f"{subject:{SUBJECT}}", entry.status]
    if entry.measured:
        words.append(f"{entry.seconds:.0f} s")
    if entry.reason:
        words.append(entry.reason)
    if entry.speed not in ("", "ok"):
        words.append(f"(speed: {entry.speed})")
    return "  ".join(words)


def _moved(fed: Sequence[tuple[Entry, Errors]], path: Path) -> str:
    """What became worse or better for good, written to a file; in words."""
    from mae_bench.commits.regressions import regressions
    from mae_bench.commits.steps import LEAST_COMMITS
    from mae_bench.records.rows import write_table

    there = [(entry, errors) for entry, errors in reversed(fed) if errors]
    if len(there) < LEAST_COMMITS:
        return f"{LEAST_COMMITS} measured commits are needed to see what moved"
    there.sort(key=lambda at: datetime.fromisoformat(at[0].date))
    found = regressions([(entry.commit, errors) for entry, errors in there])
    write_table(found, path)
    said = "\n".join(map(_step, found.to_dict("records"))) or "nothing moved for good"
    return f"{said}\nover {len(there)} commits; wrote {path}"


def _step(at: Mapping[Any, Any]) -> str:
    """One number that moved: since when, and from what to what."""
    ends = at["earliest"][:7], at["latest"][:7]
    since = at["since"][:7] + (f" ({ends[0]}..{ends[1]})" if ends[0] != ends[1] else "")
    return (
        f"{at['verdict']:9} since {since}  {at['number']}: error "
        f"{at['a']:.3g} {at['change']:+.2g} ({at['low']:+.2g} to {at['high']:+.2g})"
    )


def _table(entries: Sequence[Entry]) -> str:
    return json.dumps([vars(entry) for entry in entries], indent=1)


@errors_in_one_line
def history(
    revisions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REV ...]", help="Revisions, or ranges A..B."),
    ] = None,
    count: Annotated[
        int, typer.Option("-n", min=1, help="Without REV: the last of HEAD.")
    ] = 10,
    tier: Tier = TierName.smoke,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions.")] = 5,
    experiment: Experiments = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--history",
            help="Folder of stores and measurements; .history at the top by default.",
        ),
    ] = None,
    asv: Annotated[
        Path | None,
        typer.Option("--asv", help="Folder of asv's; results/asv there by default."),
    ] = None,
    machine: Annotated[
        str | None, typer.Option(help="Name in asv; the processor's by default.")
    ] = None,
    rerun: Again = Rerun.missing,
    time_limit: Annotated[
        float, typer.Option(min=1, help="Seconds a commit.")
    ] = 1800.0,
    speed: Annotated[
        bool, typer.Option("--speed/--no-speed", help="Time each commit too.")
    ] = False,
    bench: Annotated[
        str, typer.Option(help="Which speed benchmarks; a regular expression.")
    ] = ".",
    as_json: Json = False,
) -> None:
    """Measure commits, each with its own code, and show asv their quality and speed.

    Ends with what became worse or better for good, and since which commit.
    """
    from mae_bench.commits import history as verb
    from mae_bench.commits import host, worktree
    from mae_bench.commits.asv_speed import speed as timed

    here = host.this_machine()
    if machine is not None:
        here["machine"] = host.machine_name(machine)
    repo = worktree.top(Path.cwd())
    folder, asv = folder or repo / ".history", asv or repo / "results" / "asv"
    chosen = worktree.commits(repo, revisions or [], count)
    wanted = tuple(experiment or ["leaderboard"])
    fed: list[tuple[Entry, Errors]] = []

    def told(entry: Entry) -> None:
        home = verb.place(folder, entry.commit)
        fed.append(_feed(entry, home, asv, here))
        if not as_json:
            say(_line(fed[-1][0]))

    verb.walk(
        chosen,
        verb.Wish(tier.value, seeds, wanted, speed),
        repo=repo,
        history=folder,
        rerun=rerun.value,
        limit=time_limit,
        told=told,
        speed=lambda entry, tree: timed(
            tree,
            repo=repo,
            folder=asv,
            machine=here,
            origin=_origin(entry, "speed"),
            limit=time_limit,
            bench=bench,
        ),
    )
    if as_json:
        say(_table([entry for entry, _ in fed]))
    tell(_moved(fed, folder / "regressions.csv"))
    if not all(entry.status == "ok" for entry, _ in fed):
        raise typer.Exit(1)
