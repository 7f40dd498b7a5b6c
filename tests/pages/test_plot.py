import math
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.held_out_loss import held_out_loss
from mae_bench.pages import inputs, standing
from mae_bench.pages import plot as plots
from mae_bench.pages.limits import LIMITS
from mae_bench.pages.plot import plot
from mae_bench.records import registry
from mae_bench.records.folders import Folders
from mae_bench.records.merge import write_rows
from mae_bench.records.rows import COLUMNS, write_table
from mae_bench.records.schema import TIERS
from mae_bench.runs import measure
from mae_bench.training import train
from mae_bench.verdicts.rank import rank
from mae_bench.verdicts.rank import write as write_board

NAMES = registry.names("experiments")
EXPERIMENTS = {name: registry.load("experiments", name) for name in NAMES}
PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a figure measures nothing")

    monkeypatch.setattr(train, "train", forbidden)
    monkeypatch.setattr(measure.Run, "measure", forbidden)
    plt.close("all")
    yield
    assert plt.get_fignums() == []
    plt.close("all")


def made_up(name: str, seeds: int = 3) -> pd.DataFrame:
    """Measurements of an experiment's grid, drawn by lot."""
    draw, experiment = np.random.default_rng(0), EXPERIMENTS[name]
    shown = experiment.drawn or tuple((m, "level_0") for m in experiment.metrics)
    if name == "learning_rates":
        shown = ((held_out_loss, "mean"), (effective_rank, "centred"))
    blank: dict[str, object] = dict.fromkeys(COLUMNS, "") | {"rounding": 0}
    rows = []
    for cell, factors in experiment.cells(TIERS["smoke"], range(seeds)):
        for metric, target in shown:
            row = blank | {
                "experiment": name,
                "dataset": cell.dataset,
                "method": cell.method,
                "tier": "smoke",
                "precision": cell.precision,
                "n_eval": 128,
                "dirty": False,
                "seed": cell.seed,
                "metric": metric.id,
                "metric_version": metric.version,
                "view": "unmasked",
                "token": "mean",
                "target": target,
                "value": draw.random(),
                "status": "ok",
                "train_seconds": 1.0,
                "cell": cell.key,
            }
            rows.append(row | factors)
    return pd.DataFrame(rows)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with a leaderboard and verdicts."""
    board = made_up("leaderboard")
    board = board[board["dataset"].isin(["mnist", "gaussian_tree"])]
    write_board(rank({"leaderboard": board}), tmp_path)
    write_table(claims(), tmp_path / "verdicts.csv")
    return tmp_path


def claims() -> pd.DataFrame:
    words, numbers, _ = inputs.COLUMNS["verdicts"]
    empty = dict.fromkeys(words, "") | dict.fromkeys(numbers, math.nan)
    kinds = ["supported", "refuted", "undecided", "void", "not_measured"]
    return pd.DataFrame(
        empty
        | {
            "prediction": [f"theory/T{i}" for i in range(5)],
            "theory": "theory",
            "standing": "derived",
            "form": "contrast",
            "phase": "pilot",
            "verdict": kinds,
            "estimate": [0.5, -0.5, 0.0, 0.2, math.nan],
            "ci_low": [0.4, -0.6, -0.1, 0.1, math.nan],
            "ci_high": [0.6, -0.4, 0.1, 0.3, math.nan],
            "margin": [0.1, 0.1, 0.0, 0.1, 0.1],
            "coverage": [1.0, 1.0, 1.0, 1.0, 0.0],
            "experiment": "e",
            "metric": "m",
        }
    )


def test_every_figure_is_written_and_again_with_the_same_bytes(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "DPI", 40)
    for name in NAMES:
        write_rows(made_up(name, seeds=2), results / "measurements" / f"{name}.csv")
    drawn = plot(Folders(results, results), EXPERIMENTS)
    swept = {
        name
        for name in NAMES
        if len(EXPERIMENTS[name].factors) == 1 and EXPERIMENTS[name].drawn
    }
    cards = {"leaderboard", "verdicts", "effects", "conflicts", "learning_rates"}
    cards |= {"cost"}  # no probe of made-up rows has a curve
    exact = {"located_latents", "mask_graph"}
    assert {p.stem for p in drawn} == {*swept, *LIMITS, *cards, *exact}
    assert all(path.parent == results / "figures" for path in drawn)
    first = {path: path.read_bytes() for path in drawn}
    assert all(content.startswith(PNG) for content in first.values())
    # One of every kind again: all that is drawn of tables, rows and single factors.
    for name in NAMES:
        if name not in ("leaderboard", "learning_rates", *sorted(swept)[:3]):
            (results / "measurements" / f"{name}.csv").unlink()
    (results / "figures" / ".made.json").unlink()
    again = plot(Folders(results, results), EXPERIMENTS)
    assert len(again) >= 8
    assert all(path.read_bytes() == first[path] for path in again)


def test_only_what_was_measured_is_drawn(tmp_path: Path) -> None:
    write_rows(made_up("uniformity"), tmp_path / "measurements" / "uniformity.csv")
    assert [path.stem for path in plot(Folders(tmp_path, tmp_path), EXPERIMENTS)] == [
        "uniformity"
    ]


def words(figure: plt.Figure) -> str:
    found = " ".join(t.get_text() for t in figure.findobj(plt.Text))
    plt.close(figure)
    return found


def test_a_table_without_rows_is_as_good_as_none(tmp_path: Path) -> None:
    folder = tmp_path / "measurements"
    write_rows(made_up("symmetry"), folder / "symmetry.csv")
    head = (folder / "symmetry.csv").read_text("utf-8").partition("\n")[0]
    (folder / "mask_ratio.csv").write_text(f"{head}\n", "utf-8")
    drawn = plot(Folders(tmp_path, tmp_path), EXPERIMENTS)
    assert [path.stem for path in drawn] == ["symmetry"]


def test_a_leaderboard_without_measurements_gives_a_figure_that_says_so(
    tmp_path: Path,
) -> None:
    board = rank({})
    assert "no cell of the leaderboard has been measured" in words(standing.draw(board))
    write_board(board, tmp_path)
    (path,) = plot(Folders(tmp_path, tmp_path), {})
    assert path.name == "leaderboard.png"


def test_figures_of_published_rows_are_ones_own_and_show_ones_own_verdicts(
    results: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    drawn = plot(Folders(results, mine), {})
    assert {path.parent for path in drawn} == {mine / "figures"}
    before = (mine / "figures" / "verdicts.png").read_bytes()
    write_table(claims().iloc[:2], mine / "verdicts.csv")
    plot(Folders(results, mine), {})
    assert (mine / "figures" / "verdicts.png").read_bytes() != before
    assert not (results / "figures").exists()


def test_a_figure_is_drawn_again_only_where_its_rows_have_changed(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"symmetry": EXPERIMENTS["symmetry"]}
    path = results / "measurements" / "symmetry.csv"
    write_rows(made_up("symmetry"), path)
    where = Folders(results, results)
    first = plot(where, one)
    saved: list[Path] = []
    save = plots._save

    def again() -> set[str]:
        saved.clear()
        assert plot(where, one) == first
        return {path.stem for path in saved}

    def drawn_again(figure: Figure, path: Path) -> Path:
        saved.append(path)
        return save(figure, path)

    monkeypatch.setattr(plots, "_save", drawn_again)
    assert again() == set()
    path.write_text(path.read_text().replace("0.", "0.0", 1))
    assert "symmetry" in again()
    assert not {"verdicts", "leaderboard"} & {path.stem for path in saved}
    (results / "figures" / "verdicts.png").unlink()
    assert again() == {"verdicts"}
    text = (results / "verdicts.csv").read_text()
    (results / "verdicts.csv").write_text(text.replace(",refuted,", ",supported,"))
    assert {"verdicts", "conflicts"} <= again()
    assert again() == set()
