"""What a reader of a pull request is shown."""

import json
import math
from dataclasses import replace
from typing import Any

import pandas as pd

from mae_bench.commits.changes import Change
from mae_bench.commits.compare import Comparison
from mae_bench.commits.side_by_side import render, summary, to_json
from mae_bench.commits.sides import NUMBER, Side

ROWS = pd.DataFrame(
    [
        {
            "tier": "quick",
            "seed": seed,
            "status": "ok",
            "commit": "0123456789ab",
            "dirty": "False",
            "device": "cpu x86_64",
        }
        for seed in range(5)
    ]
)
NAME = dict.fromkeys(NUMBER, "") | {
    "tier": "quick",
    "experiment": "leaderboard",
    "dataset": "gaussian_tree",
    "method": "mae",
    "metric": "linear_r2",
    "view": "unmasked",
    "token": "mean",
    "target": "level_0",
}
WORSE = Change(
    "quality", NAME, "worse", "", False,
    0.8123456, 0.71, -0.1023456, -0.12, -0.08, 0.02, 5, 1e-4, 0.0123,
)  # fmt: skip
SAME = replace(WORSE, verdict="same", change=0.0, low=-0.001, high=0.001)
SLOW = replace(
    WORSE,
    kind="speed",
    name={"source": "asv m", "benchmark": "speed.x('mae')"},
    change=-math.log(2),
    low=-math.log(2.5),
    high=-math.log(1.6),
    margin=math.log(1.25),
)
LOST = Change("quality", NAME, "unknown", "in B absent | why", True)


def comparison(*changes: Change, **columns: Any) -> Comparison:
    a, b = Side("main", ROWS), Side("HEAD", ROWS.assign(**columns), "f" * 40)
    return Comparison(a, b, list(changes), ["libraries or processors differ: x -> y"])


def table(text: str, heading: str) -> list[list[str]]:
    """Cells of the table below a heading, without its rule."""
    body = text.partition(f"## {heading}\n\n")[2].partition("\n\n")[0]
    lines = [line.strip("| ") for line in body.splitlines()]
    return [[c.strip() for c in line.split(" | ")] for line in lines if line[0] != "-"]


def test_the_page_says_both_sides_notes_and_the_sum_before_the_rows() -> None:
    text = render(comparison(SAME, WORSE))
    head = text[: text.index("## quality")]
    assert "# compare main HEAD" in head
    assert "0123456789ab" in head
    assert "ffffffffffff" in head
    assert "Note: libraries or processors differ: x -> y" in head
    assert "**1 worse, 0 better, 1 same, 0 unknown** (exit 1; fails" in head


def test_a_row_has_both_means_interval_margin_n_and_p_in_four_digits() -> None:
    header, row = table(render(comparison(WORSE)), "quality")
    shown = dict(zip(header, row, strict=True))
    assert shown == {
        "verdict": "worse",
        "experiment": "leaderboard",
        "dataset": "gaussian_tree",
        "method": "mae",
        "metric": "linear_r2 mean level_0",
        "A": "0.8123",
        "B": "0.71",
        "change": "-0.1023",
        "interval": "[-0.12, -0.08]",
        "margin": "0.02",
        "n": "5",
        "p": "0.012",
    }


def test_numbers_are_explained_where_there_are_any() -> None:
    assert "adjusted by Holm over 1 rows" in render(comparison(WORSE, LOST))
    assert "Holm" not in render(comparison(LOST))


def test_speed_is_shown_as_a_ratio() -> None:
    header, row = table(render(comparison(SLOW)), "speed")
    shown = dict(zip(header, row, strict=True))
    assert shown["B / A"] == "2"
    assert shown["interval"] == "[1.6, 2.5]"
    assert shown["margin"] == "1.25"


def test_what_is_the_same_is_shown_on_demand() -> None:
    found = comparison(SAME)
    assert "## quality" not in render(found)
    assert table(render(found, every=True), "quality")[1][0] == "same"


def test_the_worst_is_first() -> None:
    new = replace(LOST, verdict="new", gap=False, reason="")
    doubtful = replace(WORSE, verdict="unknown")
    mild = replace(WORSE, change=-0.05)
    good = replace(WORSE, verdict="better", change=0.1)
    rows = table(
        render(comparison(SAME, new, good, doubtful, LOST, mild, WORSE)), "quality"
    )
    assert [row[0] for row in rows[1:]] == [
        "worse", "worse", "unknown", "unknown", "better", "new",
    ]  # fmt: skip
    change = rows[0].index("change")
    assert [row[change] for row in rows[1:3]] == ["-0.1023", "-0.05"]
    assert "absent" in " ".join(rows[3])


def test_rows_lost_for_one_reason_are_one_row() -> None:
    lost = [replace(LOST, name=NAME | {"target": f"level_{i}"}) for i in range(3)]
    text = render(comparison(*lost, WORSE))
    header, _, row = table(text, "quality")
    shown = dict(zip(header, row, strict=True))
    assert shown["metric"] == "linear_r2 mean *"
    assert shown["reason"] == "3 rows in B absent \\| why"
    assert "1 worse, 0 better, 0 same, 3 unknown" in text


def test_the_columns_of_every_table_are_aligned() -> None:
    text = render(comparison(WORSE, LOST, SLOW))
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines[0].startswith("|"):
            assert len({len(line) for line in lines}) == 1


def test_several_tiers_are_told_apart() -> None:
    other = replace(WORSE, name=NAME | {"tier": "full"})
    assert "tier" in table(render(comparison(WORSE, other)), "quality")[0]


def test_a_failed_cell_is_called_so() -> None:
    cell = replace(LOST, verdict="worse", name=NAME | dict.fromkeys(NUMBER[5:], ""))
    assert "whole cell" in table(render(comparison(cell)), "quality")[1]


def test_json_has_everything_with_numbers() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(to_json(comparison(SAME, LOST, SLOW)), parse_constant=refuse)
    assert found["a"]["side"] == "main"
    assert found["b"]["commit"] == "f" * 12
    assert found["exit"] == 1
    assert found["counts"] == {
        "worse": 1,
        "better": 0,
        "same": 1,
        "unknown": 1,
        "new": 0,
    }
    same, lost, slow = found["changes"]
    assert same["name"] == NAME
    assert (same["a"], same["margin"], same["n"]) == (0.8123456, 0.02, 5)
    assert (lost["a"], lost["gap"], lost["reason"]) == (None, True, "in B absent | why")
    assert slow["change"] == -math.log(2)


def test_the_summary_counts_new_rows_only_if_there_are_any() -> None:
    assert summary([SAME]) == "0 worse, 0 better, 1 same, 0 unknown"
    assert summary([replace(LOST, verdict="new")]).endswith("0 unknown, 1 new")
