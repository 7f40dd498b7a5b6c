"""Verdicts that are computed twice, by means that share nothing, agree."""

import ast
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import second_look
from benchmarks.second_look import LOOKS, Said, compare

ROOT = Path(__file__).parent.parent
VERDICTS = pd.read_csv(ROOT / "results" / "verdicts.csv", index_col="prediction")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.__name__)
def test_a_second_look_says_the_same(look: Callable[[], Said]) -> None:
    assert compare(look, VERDICTS) == ""


def test_ten_are_looked_at_of_nine_forms() -> None:
    names = [str(look.__doc__).partition(":")[0] for look in LOOKS]
    assert len(set(names)) == 10
    assert VERDICTS.loc[names, "form"].nunique() == 9


def test_a_verdict_that_is_not_the_rows_is_seen() -> None:
    look = LOOKS[0]
    name = str(look.__doc__).partition(":")[0]
    for column, factor in {"estimate": 1.001, "ci_low": 1.001, "n_seeds": 2}.items():
        forged = VERDICTS.copy()
        forged.loc[name, column] *= factor
        assert compare(look, forged)
    assert compare(look, VERDICTS.assign(alone="refuted"))


def test_nothing_of_ours_is_used() -> None:
    tree = ast.parse(Path(second_look.__file__).read_text())
    named = {
        getattr(node, "module", None) or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not [name for name in named if name.startswith("mae_bench")]
