"""What is open, how far it is, and which cells come first."""

import math
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pytest

from mae_bench.experiments.symmetry import SYMMETRY
from mae_bench.predictions.contrast import Contrast
from mae_bench.records.ruling import Ruling
from mae_bench.records.schema import FULL_PRECISION, TIERS
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS
from mae_bench.verdicts.case import Case
from mae_bench.verdicts.hearing import Hearing
from mae_bench.verdicts.needs import (
    Need,
    Needs,
    at_most,
    costs,
    in_order,
    is_open,
    weight,
)
from mae_bench.verdicts.told import Told
from mae_bench.verdicts.weigh import Weighed

ASKED = {"confirmatory": 20.0}
CLAIM = HIERARCHICAL_LATENTS.predictions["K-D2"]
CELLS = [
    (cell, at)
    for cell, at in SYMMETRY.cells(TIERS["quick"], range(2))
    if cell.dataset == "gaussian_tree"
]


def told(hearing: Hearing) -> Told:
    return Told("t/1", "t", CLAIM, {"pilot": Hearing(None), "confirmatory": hearing})


@dataclass(frozen=True)
class Claim(Weighed):
    """Of which all that matters is known."""

    n_seeds: int = 5
    measured: bool = True
    more: float = 7.0

    def more_seeds(self, asked: float) -> float:
        del asked
        return self.more


@dataclass(frozen=True)
class Spoken(Hearing):
    """Of which a word is said."""

    word: str = ""

    def ruling(self, asked: float) -> tuple[Ruling, str]:
        del asked
        return self.word, ""  # type: ignore[return-value]


def heard(word: str, headroom: float = 0.05, **about: Any) -> Hearing:
    form = Contrast(0.1, {"mask_ratio": 0.25}, {"mask_ratio": 0.75})
    claim = Claim(form, pd.DataFrame(), {}, **about)
    return Spoken(Case(CLAIM, claim, None, headroom=headroom), word=word)


@pytest.mark.parametrize(
    ("word", "open_"),
    [
        ("undecided", True),
        ("control_open", True),
        ("supported", False),
        ("refuted", False),
        ("void", False),
        ("not_converged", False),
        ("depends_on_scale", False),
        ("untestable", False),
    ],
)
def test_what_more_seeds_may_change_is_open(word: str, open_: bool) -> None:
    assert is_open(told(heard(word)), ASKED) is open_


def test_room_below_the_ceiling_may_be_seen_with_more_seeds() -> None:
    assert is_open(told(heard("untestable", headroom=0.2)), ASKED)


def test_what_was_not_run_is_open_and_what_cannot_be_judged_is_not() -> None:
    assert is_open(told(Hearing(None, "no rows")), ASKED)
    assert not is_open(told(Hearing(None, "it mixes tiers full, quick")), ASKED)
    assert is_open(told(heard("not_measured", measured=False)), ASKED)


@pytest.mark.parametrize(
    ("n", "more", "left"),
    [(5, 7.0, 7), (0, math.nan, 4), (2, 1.0, 2), (9, math.inf, 1000), (6, 0.0, 1)],
)
def test_a_seed_is_a_part_of_what_is_still_needed(
    n: int, more: float, left: int
) -> None:
    hearing = heard("undecided", n_seeds=n, more=more)
    assert weight(told(hearing), ASKED) == pytest.approx(1 / left)


def test_the_next_seed_is_the_first_that_lacks_something() -> None:
    lacking = Needs("quick", FULL_PRECISION)
    claim = told(Hearing(None, "no rows"))
    first = lacking.next(claim, ASKED, range(5, 8), set())
    assert first is not None
    assert (first.nth, first.left, first.strict) == (0, 3, True)
    assert {cell.seed for cell, _ in first.cells} == {5}
    keys = {cell.key for cell, _ in first.cells}
    partly = lacking.next(claim, ASKED, range(5, 8), keys - {first.cells[0][0].key})
    assert partly is not None
    assert [cell.key for cell, _ in partly.cells] == [first.cells[0][0].key]
    then = lacking.next(claim, ASKED, range(5, 8), keys)
    assert then is not None
    assert (then.nth, then.left, {c.seed for c, _ in then.cells}) == (1, 2, {6})
    assert lacking.next(claim, ASKED, range(5, 6), keys) is None


def need(key: str, *numbers: int, nth=0, weight=1.0, strict=True, left=1) -> Need:
    cells = [CELLS[n] for n in numbers]
    return Need(key, "symmetry", nth, left, weight, strict, cells)


def order(needs: list[Need], limit: float = math.inf) -> list[int]:
    """Places of the cells, of which each costs 1."""
    chosen = in_order(needs, lambda *_: 1.0, limit).get("symmetry", [])
    keys = [cell.key for cell, _ in CELLS]
    return [keys.index(cell.key) for cell, _ in chosen]


def test_seeds_come_one_by_one_then_theorems_then_what_tells_most() -> None:
    late = need("late", 0, nth=1)
    loose = need("loose", 1, strict=False)
    slow = need("slow", 2, weight=0.1)
    dear = need("dear", 3, 4)
    cheap = need("cheap", 5)
    assert order([late, loose, slow, dear, cheap]) == [5, 3, 4, 2, 1, 0]


def test_cells_that_others_asked_for_cost_nothing_more() -> None:
    shared, alone, pair = need("shared", 0, 1), need("alone", 0), need("pair", 2, 3)
    assert order([pair, shared, alone]) == [0, 1, 2, 3]


def test_a_round_ends_where_its_time_does() -> None:
    assert order([need("a", 0), need("b", 1, 2), need("c", 3)], limit=2.0) == [0, 3]
    assert order([need("a", 0, 1, 2)], limit=2.0) == [0, 1, 2]
    assert order([]) == []


def test_at_most_every_seed_of_each_cell_is_paid_once() -> None:
    needs = [need("a", 0, 1, left=20), need("b", 1, 2, left=4)]
    assert at_most(needs, lambda *_: 2.0) == (20 + 20 + 4, 88.0)
    assert at_most([], lambda *_: 2.0) == (0, 0)


def test_costs_are_by_experiment_and_of_each_cell_once() -> None:
    here = [need("a", 0, 1, left=20), need("b", 1, 2, left=4)]
    there = [replace(need("c", 0, left=20), experiment="uniformity")]
    table = costs([*here, *there], ["symmetry", "uniformity", "sub_trees"], paid)
    assert table.to_numpy().tolist() == [
        ["symmetry", 2, 44, 44.0],
        ["uniformity", 1, 20, 20.0],
        ["sub_trees", 0, 0, 0.0],
        ["each cell once", 3, 44, 44.0],
    ]


def paid(*_: object) -> float:
    """A core-minute."""
    return 60.0
