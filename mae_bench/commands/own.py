"""Which theory predicts my result? One's own rows or encoders, held against all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mae_bench.commands.console import tell
from mae_bench.commands.judging import key_of, renaming
from mae_bench.commands.options import TierName
from mae_bench.commands.words import one_of, seeds_of
from mae_bench.records import registry
from mae_bench.records.schema import Setting, UsageError

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from mae_bench.verdicts.own import OwnVerdicts


def judge_my(
    rows: pd.DataFrame | Path | str | None = None,
    *,
    predictions: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    fixed: bool = False,
    encoders: str | Callable[..., nn.Module] | None = None,
    sweep: Mapping[str, Sequence[Setting]] | None = None,
    seeds: int | str | range = 5,
    datasets: Sequence[str] = (),
    tier: str = "quick",
    image_size: int | None = None,
    num_heads: int | None = None,
    device: str = "cpu",
    output: Path | str | None = None,
) -> OwnVerdicts:
    """Say of one's own rows, or encoders, which predictions they support or refute.

    A verdict is about the setting of these rows. Margins are the predictions' own, in
    the metric's unit; whether trainings have converged is not known.

    Args:
        rows: A table, or its CSV: ``seed``, ``metric`` (an id of ``mb.metrics``),
            ``value`` and factors such as ``mask_ratio``; ``dataset``, ``method``,
            ``view``, ``token`` and ``target`` where claims tell them apart.
        predictions: ``hierarchical_latents/K5`` or ``K5``, of which you say that the
            rows are what they speak of; all that may be by default.
        names: Our ``metric`` or ``metric/target`` -> your name of it.
        fixed: Whether the number of seeds was chosen before any was seen.
        encoders: In place of rows: a function that takes a level of every factor of
            ``sweep`` by its name, and ``seed``, and gives a network; or a spec, see
            ``mae_bench.encoders.sweep``.
        sweep: Factor -> its levels; two or more of one factor at least.
        seeds: Of the trainings: so many, ``"5:10"``, or a range.
        datasets: The only worlds that encoders are shown; by default those of the
            predictions.
        tier: How many images they are shown.
        image_size: Side of the images that they are shown.
        num_heads: Attention heads, of files of weights.
        device: Where they are asked.
        output: Folder for ``my_verdicts.csv``, ``my_forecasts.csv`` and the page
            ``my_verdicts.html``, and of encoders ``my_rows.csv``; nothing is written
            by default.

    Returns:
        Three tables: ``verdicts``; ``missing``, of what could not be judged; and
        ``forecasts``, the theory that orders your configurations best first.

    Raises:
        UsageError: A row that cannot be, an encoder that cannot be had, or nothing
            that can be judged.

    >>> import pandas as pd
    >>> rows = pd.DataFrame(
    ...     [
    ...         (seed, lamb, "linear_probe", value + seed / 1000 * (1 - lamb))
    ...         for lamb, value in ((0.0, 0.6), (0.01, 0.7))
    ...         for seed in range(5)
    ...     ],
    ...     columns=["seed", "lamb", "metric", "value"],
    ... )
    >>> found = judge_my(rows, predictions=["Z6-mean"])
    >>> found.verdicts["verdict"].item(), round(found.verdicts["estimate"].item(), 3)
    ('supported', 0.1)
    """
    if (rows is None) == (encoders is None):
        raise UsageError("give rows, or encoders with their sweep")
    if encoders is None:
        if sweep:
            raise UsageError("a sweep is of encoders; rows have their levels")
        return of_rows(rows, predictions, names or {}, fixed=fixed, output=output)
    levels = {name: [str(x) for x in said] for name, said in (sweep or {}).items()}
    asked = Swept(
        [f"{name}={','.join(said)}" for name, said in levels.items()],
        seeds if isinstance(seeds, range) else seeds_of(str(seeds)),
        one_of(TierName, tier).value,
        [datasets] if isinstance(datasets, str) else datasets,
        device,
        image_size,
        num_heads,
    )
    found, failed = of_encoders(
        encoders, asked, predictions, fixed=fixed, output=output
    )
    for where, why in failed.items():
        tell(f"{where}: {why}")
    return found


@dataclass(frozen=True)
class Swept:
    """A sweep of encoders, and what they are shown.

    Args:
        words: ``NAME=LEVEL,LEVEL``, one a factor.
        seeds: Of the trainings.
        tier: Tier id.
        datasets: The only worlds; those of the predictions if empty.
        device: Where they are asked.
        image_size: Side of the images.
        num_heads: Of files of weights.
    """

    words: Sequence[str]
    seeds: range
    tier: str
    datasets: Sequence[str] = ()
    device: str = "cpu"
    image_size: int | None = None
    num_heads: int | None = None


def of_rows(
    rows: pd.DataFrame | Path | str | None,
    predictions: Sequence[str],
    names: Mapping[str, str],
    *,
    fixed: bool,
    output: Path | str | None,
) -> OwnVerdicts:
    """See ``judge_my``, of rows."""
    from mae_bench.records.own_rows import own_rows, read_own

    wanted = _keys(predictions)
    ours = dict(renaming(word, mine) for word, mine in names.items())
    if isinstance(rows, Path | str):
        table, source = read_own(Path(rows)), str(rows)
    else:
        assert rows is not None
        table, source = own_rows(rows), "the table"
    return _judged(table, source, wanted, ours, fixed=fixed, output=output)


def of_encoders(
    encoders: str | Callable[..., nn.Module],
    swept: Swept,
    predictions: Sequence[str] = (),
    *,
    fixed: bool = False,
    output: Path | str | None = None,
) -> tuple[OwnVerdicts, dict[str, str]]:
    """See ``judge_my``, of encoders; and where -> why nothing was measured."""
    from mae_bench.encoders.sweep import encoders_of, levels_of
    from mae_bench.encoders.swept import measure_sweep, worlds_of
    from mae_bench.records.own_rows import own_rows
    from mae_bench.records.rows import write_table
    from mae_bench.records.strength import ENOUGH_SEEDS
    from mae_bench.runs import launch
    from mae_bench.training.places import reading_place

    wanted, levels = _keys(predictions), levels_of(swept.words)
    if len(swept.seeds) < ENOUGH_SEEDS:
        said = f"{len(swept.seeds)} seeds; a verdict needs {ENOUGH_SEEDS}"
        raise UsageError(f"a sweep of {said}: --seeds {ENOUGH_SEEDS} or more")
    where = reading_place(*launch.devices(swept.device, 1))
    theories = registry.load_all("theories")
    worlds = worlds_of(theories, [*levels], wanted, swept.datasets)
    found = encoders_of(encoders, levels, swept.seeds, swept.num_heads, tell)
    names = ", ".join(sorted({world.dataset for world in worlds}))
    tell(f"{len(found)} encoders, each shown {names}")
    rows, failed = measure_sweep(
        found,
        worlds,
        tier=swept.tier,
        device=where,
        image_size=swept.image_size,
        told=tell,
    )
    if rows.empty:
        place, why = next(iter(failed.items()))
        raise UsageError(f"nothing was measured: {place}: {why}")
    source = encoders if isinstance(encoders, str) else "your encoders"
    table = own_rows(rows)
    verdicts = _judged(
        table, source, wanted, {}, fixed=fixed, tier=swept.tier, output=output
    )
    if output is not None:
        write_table(rows, Path(output) / "my_rows.csv")
    return verdicts, failed


def _judged(
    table: pd.DataFrame,
    source: str,
    wanted: Sequence[str],
    names: Mapping[str, tuple[str, str]],
    *,
    fixed: bool,
    tier: str = "",
    output: Path | str | None,
) -> OwnVerdicts:
    from mae_bench.records.strength import ANYTIME, FIXED
    from mae_bench.verdicts import own

    found = own.judge_own(
        registry.load_all("theories"),
        table,
        source=source,
        wanted=wanted,
        names=names,
        rule=FIXED if fixed else ANYTIME,
    )
    for line in own.strangers(table, names):
        tell(line)
    if output is not None:
        _write(found, source, tier, Path(output))
    return found


def _write(found: OwnVerdicts, source: str, tier: str, output: Path) -> None:
    from mae_bench.pages.own import own_page
    from mae_bench.records.store import write_atomically
    from mae_bench.verdicts import own

    own.write(found, output)
    today = datetime.now(UTC).date().isoformat()
    page = own_page(found, source, date=today, tier=tier)
    write_atomically(output / "my_verdicts.html", page.encode())


def _keys(predictions: Sequence[str]) -> list[str]:
    said = [predictions] if isinstance(predictions, str) else predictions
    return [key_of(name) for name in said]
