"""What the printed leaderboard says: ties, references, failures, what is by what."""

import math

import pandas as pd

from mae_bench.verdicts.rank import OF_BOARD, rank
from mae_bench.verdicts.standings import render


def line(seed: int, method: str, value: float, status: str = "ok") -> dict:
    return {
        "dataset": "digits",
        "method": method,
        "seed": seed,
        "metric": "linear_probe",
        "view": "unmasked",
        "token": "mean",
        "target": "",
        "value": value,
        "status": status,
        "reason": "" if status == "ok" else "every image has the same features",
        "cell": f"{method} {seed}",
    }


def board() -> pd.DataFrame:
    rows = [line(s, "mae", 0.5 + d) for s, d in enumerate((0.02, 0.0, -0.02))]
    rows += [line(s, "u_mae", 0.5 + d) for s, d in enumerate((0.0, 0.01, -0.01))]
    rows += [line(s, "pixels", 0.9) for s in range(3)]
    rows += [line(0, "m_mae", math.nan, "collapsed"), line(1, "m_mae", 0.4)]
    return rank({"leaderboard": pd.DataFrame(rows)})


def test_a_line_has_track_rank_value_and_status() -> None:
    lines = [" ".join(text.split()) for text in render(board()).splitlines()]
    assert lines[0] == "dataset method track rank linear_probe coverage status"
    assert set(lines[1:3]) == {
        "digits mae pixels 1-2 0.500 ± 0.050 3/3 ok",
        "digits u_mae pixels 1-2 0.500 ± 0.025 3/3 ok",
    }
    assert lines[3] == (
        "digits m_mae pixels - 0.400 ± ? 1/2 collapsed in 1 of 2 seeds (0.09 to 0.9)"
    )
    assert lines[4] == "digits pixels reference - 0.900 ± 0.000 3/3 ok"


def test_it_says_by_what_and_among_whom_ranks_are() -> None:
    assert "rank: by linear_probe on digits; among the methods of a track" in render(
        board()
    )


def test_the_read_out_that_was_chosen_is_named() -> None:
    rows = board().assign(label_probe=0.7, label_probe_read="linear cls")
    said = render(rows).splitlines()
    assert said[0].split()[4:6] == ["label_probe", "read"]
    assert "0.700 ± ?    linear cls" in said[1]


def test_nothing_measured_is_said() -> None:
    assert "no cell" in render(pd.DataFrame(columns=list(OF_BOARD)))
