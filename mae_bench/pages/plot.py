"""CSV -> figures: nothing is measured again, and no point stands without interval."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from PIL import Image

from mae_bench.experiments import Experiment
from mae_bench.pages import (
    budgets,
    effects,
    exact,
    forecasts,
    limits,
    sample_complexity,
    scorecard,
    standing,
    trials,
)
from mae_bench.pages.conflicts import conflicts
from mae_bench.pages.inputs import frame
from mae_bench.pages.sweeps import sweep
from mae_bench.records.folders import Folders
from mae_bench.records.made import Made
from mae_bench.records.read import read_measurements

DPI = 110
SHADES = 256  # of all colours in a file

OF_A_TABLE: Mapping[str, tuple[str, Callable[[pd.DataFrame], Figure]]] = (
    MappingProxyType(
        {
            "leaderboard": ("leaderboard.csv", standing.draw),
            "verdicts": ("verdicts.csv", scorecard.tiles),
            "conflicts": ("verdicts.csv", conflicts),
            "forecasts": ("forecasts.csv", forecasts.head_to_head),
        }
    )
)

# Of all that was measured; None where that has not been.
OF_ROWS: Mapping[str, Callable[[Mapping[str, pd.DataFrame]], Figure | None]] = (
    MappingProxyType(
        {
            "two_sample_floor": exact.two_sample_floor,
            "sample_complexity": sample_complexity.draw,
        }
    )
)


@dataclass(frozen=True)
class Group:
    """Figures that are drawn together.

    Args:
        name: Of the group.
        sources: All files that they are drawn of.
        draw: Draws them, each with its name.
        words: What else they are drawn of.
    """

    name: str
    sources: tuple[Path, ...]
    draw: Callable[[], Iterator[tuple[str, Figure]]]
    words: str = ""


def plot(where: Folders, experiments: Mapping[str, Experiment]) -> list[Path]:
    """Draw every figure that the CSVs allow, but those that are as they would be.

    Args:
        where: Their folders.
        experiments: Id -> what is drawn of it.

    Returns:
        The figures' files, in ``figures``.
    """
    # Colours that are told apart without red or green.
    sns.set_theme(style="whitegrid", palette="colorblind", font_scale=0.85)
    folder = where.write / "figures"
    made, files = Made(folder), []
    for group in _groups(where, experiments):
        stamp = made.stamp(group.sources, group.words)
        paths = made.kept(group.name, stamp)
        if paths is None:
            figures = group.draw()
            paths = [_save(figure, folder / f"{name}.png") for name, figure in figures]
            made.note(group.name, stamp, paths)
        files += paths
    made.write()
    return files


class _Measured(Mapping):  # type: ignore[type-arg] # else a check would read all
    """Experiment id -> its rows, of those that have any; read when one is drawn."""

    def __init__(self, folder: Path) -> None:
        self.paths = {p.stem: p for p in sorted(folder.glob("*.csv")) if _has_rows(p)}
        self.folder = folder

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        return read_measurements(self.folder)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self.paths:
            raise KeyError(name)
        return self._rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self.paths

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def _has_rows(path: Path) -> bool:
    """Whether there is more than a header; what else it is, its reader says."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        return sum(1 for line in islice(file, 2) if line.strip()) > 1


def _groups(where: Folders, experiments: Mapping[str, Experiment]) -> Iterator[Group]:
    """Figures, each group with all that it is drawn of."""
    measured = _Measured(where.read / "measurements")
    every = tuple(measured.paths.values())
    yield from _sweeps(measured, experiments)
    if path := measured.paths.get("learning_rates"):
        draw = partial(_one, "learning_rates", measured, "learning_rates", trials.draw)
        yield Group("learning_rates", (path,), draw)
    yield from _of_oracles(measured)
    for name, (table, of_table) in OF_A_TABLE.items():
        if (path := where.find(table)).exists():
            yield Group(name, (path,), partial(_of_table, name, path, of_table))
    if (path := where.find("verdicts.csv")).exists():
        yield Group("effects", (path,), lambda: effects.pages(frame(path)))
    yield Group("budgets", every, lambda: budgets.draw(dict(measured)))


def _one(
    name: str,
    measured: _Measured,
    experiment: str,
    draw: Callable[[pd.DataFrame], Figure],
) -> Iterator[tuple[str, Figure]]:
    yield name, draw(measured[experiment])


def _of_table(
    name: str, path: Path, draw: Callable[[pd.DataFrame], Figure]
) -> Iterator[tuple[str, Figure]]:
    yield name, draw(frame(path))


def _sweeps(
    measured: _Measured, experiments: Mapping[str, Experiment]
) -> Iterator[Group]:
    """Of the experiments with a single factor."""
    for name, experiment in experiments.items():
        if name in measured and experiment.drawn and len(experiment.factors) == 1:
            sources = [
                measured.paths[n] for n in (name, "leaderboard") if n in measured
            ]
            shown = [(metric.id, target) for metric, target in experiment.drawn]
            words = repr((experiment.question, experiment.expected, shown))
            draw = partial(_sweep, name, experiment, measured)
            yield Group(name, tuple(sources), draw, words)


def _sweep(
    name: str, experiment: Experiment, measured: _Measured
) -> Iterator[tuple[str, Figure]]:
    board = measured.get("leaderboard")
    floor = None if board is None else board[board["method"] == "random_init"]
    factor = next(iter(experiment.factors))
    yield name, sweep(measured[name], experiment, factor, floor)


def _of_oracles(measured: _Measured) -> Iterator[Group]:
    """Exact answers, beside what was trained."""
    there = {n: x for n, x in limits.LIMITS.items() if x.experiment in measured}
    for name, limit in there.items():
        draw = partial(
            _one, name, measured, limit.experiment, partial(limits.draw, limit)
        )
        yield Group(name, (measured.paths[limit.experiment],), draw)
    if there:
        yield Group("exact", (), _exact)
    for name, of_rows in OF_ROWS.items():
        draw = partial(_of_rows, name, of_rows, measured)
        yield Group(name, tuple(measured.paths.values()), draw)


def _exact() -> Iterator[tuple[str, Figure]]:
    yield "located_latents", exact.located_latents()
    yield "mask_graph", exact.mask_graph_figure()


def _of_rows(
    name: str,
    draw: Callable[[Mapping[str, pd.DataFrame]], Figure | None],
    measured: _Measured,
) -> Iterator[tuple[str, Figure]]:
    if (figure := draw(dict(measured))) is not None:
        yield name, figure


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = io.BytesIO()
    figure.savefig(whole, dpi=DPI, format="png")
    plt.close(figure)
    # Of a palette: a third of the bytes, and no version of software among them.
    image = Image.open(whole).convert("RGB")
    image.quantize(SHADES, dither=Image.Dither.NONE).save(path, optimize=True)
    return path
