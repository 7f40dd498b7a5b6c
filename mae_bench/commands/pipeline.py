"""From nothing to the leaderboard: run, and each of its verbs alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mae_bench.commands import judging, outcome, own, verbs
from mae_bench.commands.console import end, errors_in_one_line, say, tell
from mae_bench.commands.engines import Running
from mae_bench.commands.options import (
    Fixed,
    Folder,
    Json,
    Rerun,
    Tier,
    TierName,
    spread,
)
from mae_bench.commands.running import cost_of, run_of
from mae_bench.records.folders import registered
from mae_bench.records.schema import UsageError, of_the_moment

if TYPE_CHECKING:
    import pandas as pd

    from mae_bench.runs.measure import Run

TABLES = ("verdicts", "theories", "forecasts", "leaderboard")
OTHERS = "FOLDER FOLDER ... --results OUT"


@errors_in_one_line
@spread(Running)
def run(wish: Running, as_json: Json = False) -> None:
    """Measure, judge, rank and plot: from nothing to the leaderboard."""
    if wish.dry_run:
        _foretell(wish, as_json)
        return
    if wish.shard is not None:
        ran = run_of(wish)
        tell(f"a share is not judged; when all are there: mae-bench merge {OTHERS}")
    else:
        ran = run_of(wish, verbs.rank_so_far)
        conclude(ran.results, wish.tier.value, as_json=as_json)
    failed = _failures(ran, wish)
    end(failed, ran.results, as_json, _way_on(failed))


def conclude(results: Path, tier: str, *, as_json: bool) -> None:
    """Judge, rank and plot what is measured, and say what is decided.

    Args:
        results: The folder.
        tier: Of its rows.
        as_json: Whether a program listens, which is told nothing of it.
    """
    from mae_bench.verdicts.standings import render

    before = outcome.words_of(results)
    board = _decided(results)
    verbs.plot(results)
    if not as_json and len(board):
        say(render(board))
    for line in outcome.told(before, outcome.words_of(results), results, tier):
        tell(line)
    if tier == TierName.paper.value and not as_json:
        _beside_theirs(results)


def _decided(results: Path) -> pd.DataFrame:
    """Judge and rank, if the tables are not as they would be; gives the leaderboard."""
    from mae_bench.pages.inputs import frame
    from mae_bench.records.made import Made

    made, rows = Made(results), sorted((results / "measurements").glob("*.csv"))
    stamp = made.stamp([*rows, registered()])
    if made.kept("tables", stamp) is not None:
        return frame(results / "leaderboard.csv")
    verbs.judge(results)
    board = verbs.rank(results)
    made.note("tables", stamp, [results / f"{name}.csv" for name in TABLES])
    made.write()
    return board


def _beside_theirs(results: Path) -> None:
    """Say what others published, and what is measured of it."""
    from mae_bench.experiments import asked_for
    from mae_bench.verdicts.reproduced import lines

    for name in asked_for(None, "paper"):
        say(f"{name}\n" + "\n".join(f"  {line}" for line in lines(name, results)))


@errors_in_one_line
@spread(Running)
def measure(wish: Running, as_json: Json = False) -> None:
    """Train and score what is missing; write measurements/*.csv."""
    if wish.dry_run:
        _foretell(wish, as_json)
        return
    ran = run_of(wish)
    failed = _failures(ran, wish)
    end(failed, ran.results, as_json, _way_on(failed))


def _way_on(failed: Mapping[str, str]) -> str:
    """What can be done about failures.

    >>> _way_on({"digits/mae": "timeout: ran over 9 s", "digits/byol": "error: no"})
    '1 for want of time or disk, or killed: run again to try; --rerun failed tries all'
    """
    passed = sum(map(of_the_moment, failed.values()))
    if not failed or passed == 0:
        tried = "--rerun failed tries again what failed; mae-bench log KEY says more"
        return tried if failed else ""
    told = f"{passed} for want of time or disk, or killed: run again to try"
    return told if passed == len(failed) else f"{told}; --rerun failed tries all"


def _failures(ran: Run, wish: Running) -> dict[str, str]:
    """What failed; what was not to be run, or not in the time, did not."""
    whole = wish.rerun != Rerun.never and wish.budget is None and not ran.patience.over
    return ran.failures(missing=whole)


def _foretell(wish: Running, as_json: bool) -> None:
    """Print what it would cost."""
    table = cost_of(wish)
    from mae_bench.runs import estimate

    if as_json:
        say(table.to_json(orient="records", indent=1))
    else:
        say(estimate.render(table))
        tell(estimate.HOW)


def _place(results: Path | None, tier: TierName) -> None:
    """Say where was read and written, and of what is too small that it is."""
    if tier is TierName.smoke:
        tell(outcome.NOT_EVIDENCE)
    tell(str(verbs.where_to(results, tier)))


@errors_in_one_line
@spread(judging.Judging)
def judge(
    mine: judging.Judging,
    results: Folder = None,
    tier: Tier = TierName.quick,
    fixed: Fixed = False,
    as_json: Json = False,
) -> None:
    """Hold measurements against predictions; write verdicts, theories, forecasts."""
    if mine.rows is not None:
        if results is not None:
            raise UsageError("--rows are your own, --results the suite's; give one")
        _judge_my(mine, fixed=fixed, as_json=as_json)
        return
    if mine.predictions or mine.names:
        raise UsageError("--prediction and --as are of rows of your own; give --rows")
    verdicts, theories = verbs.judge(results, tier, fixed=fixed)
    from mae_bench.verdicts import planting, roundings

    if as_json:
        say(verdicts.to_json(orient="records", indent=1))
    else:
        columns = ["prediction", "verdict", "estimate", "ci_low", "ci_high", "margin"]
        more = ("n_seeds", "e_value", "more_seeds", "control_verdict")
        say(verdicts[[*columns, *more]].to_string(index=False))
        say("")
        say(theories.iloc[:, :12].to_string(index=False))
        say("")
        say(planting.told(verdicts))
    same, decided, low, high = roundings.kept(verdicts)
    if decided:
        tell(
            f"{same} of {decided} decided verdicts are the same under every rounding "
            f"({low:.2f} to {high:.2f})"
        )
    _place(results, tier)


def _judge_my(mine: judging.Judging, *, fixed: bool, as_json: bool) -> None:
    """Rows of one's own, in place of the suite's."""
    found = own.of_rows(
        mine.rows,
        mine.predictions or (),
        judging.names_of(mine.names or ()),
        fixed=fixed,
        output=mine.output,
    )
    whole = bool(mine.predictions)
    judging.told(found, mine.output, as_json=as_json, whole=whole)


@errors_in_one_line
def rank(
    results: Folder = None, tier: Tier = TierName.quick, as_json: Json = False
) -> None:
    """Order the methods, with intervals, floor and ceiling; write leaderboard.csv."""
    board = verbs.rank(results, tier)
    from mae_bench.verdicts.standings import render

    say(board.to_json(orient="records", indent=1) if as_json else render(board))
    _place(results, tier)


@errors_in_one_line
def plot(
    results: Folder = None, tier: Tier = TierName.quick, as_json: Json = False
) -> None:
    """Draw the figures from the CSVs."""
    drawn = [str(path) for path in verbs.plot(results, tier)]
    say(json.dumps(drawn) if as_json else "\n".join(drawn))
    _place(results, tier)
