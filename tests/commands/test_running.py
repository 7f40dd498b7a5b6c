"""A wish is run as far as its budget goes."""

from collections.abc import Callable

import pandas as pd
from click.testing import Result

SMALL = ("--tier", "smoke", "--jobs", "0", "--seeds", "1", "--dataset", "gaussian_tree")


def test_a_budget_that_is_spent_leaves_honest_rows(
    call: Callable[..., Result],
) -> None:
    words = ("measure", "--experiment", "symmetry", *SMALL, "--results", "r")
    ended = call(*words, "--budget", "1s")
    assert ended.exit_code == 0, ended.stderr
    assert "the budget is spent; what was measured is written" in ended.stderr
    rows = pd.read_csv("r/measurements/symmetry.csv", keep_default_na=False)
    assert "missing" in set(rows["status"])
    assert set(rows.loc[rows["status"] == "missing", "reason"]) == {"not run yet"}
    whole = call(*words)
    assert whole.exit_code == 0
    rows = pd.read_csv("r/measurements/symmetry.csv", keep_default_na=False)
    assert "missing" not in set(rows["status"])
