import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.pages.standing import draw
from mae_bench.records import registry
from mae_bench.verdicts.rank import OF_BOARD

MEANS = {"mae": 0.5, "u_mae": 0.7, "simclr": 0.9, "pixels": 0.6, "m_mae": math.nan}
TRACKS = ("pixels", "pixels", "augmentations", "reference", "pixels")


def board_of(name: str, dataset: str = "digits") -> pd.DataFrame:
    """A number of five methods."""
    board = pd.DataFrame({"method": [*MEANS], name: MEANS.values(), "track": TRACKS})
    board = board.reindex(columns=OF_BOARD).assign(dataset=dataset)
    board[f"{name}_rank_best"] = [1, 1, 1, math.nan, math.nan]
    board[f"{name}_rank_worst"] = [2, 2, 1, math.nan, math.nan]
    return board


def words(figure: plt.Figure) -> str:
    found = " ".join(t.get_text() for t in figure.findobj(plt.Text))
    plt.close(figure)
    return found


def test_every_method_dataset_and_number_is_named() -> None:
    names = [registry.id_of(method) for method in LEADERBOARD.methods]
    worlds = [registry.id_of(world) for world in LEADERBOARD.datasets]
    rows = [
        {"dataset": d, "method": m, "track": "pixels"} for d in worlds for m in names
    ]
    board = pd.DataFrame(rows).reindex(columns=OF_BOARD)
    board["linear_r2_level_0"] = np.linspace(0, 1, len(board))
    text = words(draw(board))
    for part in (*names, *worlds, "linear r2 level 0", "pixels"):
        assert part in text


def test_a_track_stands_together_with_the_ranks_in_it() -> None:
    figure = draw(board_of("label_probe"))
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        *("u_mae", "mae", "m_mae", "simclr", "pixels")
    ]
    assert [t.get_text() for t in ax.texts] == ["1-2", "1-2", "1"]
    shown = [t.get_text() for t in figure.legends[0].get_texts()]
    assert shown[:3] == ["pixels", "augmentations", "reference"]
    # Pixels are a line through the panel; no other reference is there.
    assert shown[-1] == "pixels"
    lines = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in lines] == [0.6]
    plt.close(figure)


def test_other_budgets_are_dots_of_the_same_line() -> None:
    board = board_of("label_probe")
    for name, share in (("at_1_8", 0.2), ("at_1_4", 0.4), ("at_1_2", 0.8)):
        board[f"label_probe_{name}"] = share * board["label_probe"]
    board["label_probe_at_cost"] = board["label_probe"] - 0.1
    figure = draw(board)
    ax = figure.axes[0]
    (way,) = [line for line in ax.lines if list(line.get_ydata()) == [1] * 4]
    assert way.get_xdata() == pytest.approx([0.1, 0.2, 0.4, 0.5])
    cheap = ax.collections[0].get_offsets()
    assert cheap[1].tolist() == pytest.approx([0.4, 1.22])
    plt.close(figure)


def test_a_world_is_drawn_by_its_classes_and_those_of_two_budgets_come_first() -> None:
    both = board_of("label_probe", "random_hierarchy")
    both["label_probe_at_cost"] = both["label_probe"]
    latents = board_of("linear_r2_level_0", "gaussian_tree")
    latents["label_probe"] = [0.5, *[math.nan] * 4]
    figure = draw(pd.concat([latents, both, board_of("linear_probe", "digits")]))
    titles = [ax.get_title() for ax in figure.axes]
    plt.close(figure)
    assert titles == [
        "random_hierarchy\nlabel probe ↑",
        "digits\nlinear probe ↑",
        "gaussian_tree\nlinear r2 level 0 ↑",
    ]


def test_no_interval_leaves_what_is_possible() -> None:
    board = board_of("label_probe")
    board["label_probe_low"], board["label_probe_high"] = -0.5, 1.5
    figure = draw(board)
    ends = figure.axes[0].collections[1].get_segments()
    plt.close(figure)
    assert {tuple(end[:, 0]) for end in ends} == {(0.0, 1.0)}
