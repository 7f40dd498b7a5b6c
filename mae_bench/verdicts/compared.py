"""What a form compares, and whether somebody's rows have it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import pandas as pd

from mae_bench.predictions import Form
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.peak import Peak
from mae_bench.records.rows import Where, in_words, matching, value_in_words
from mae_bench.records.schema import UsageError


class Lacking(UsageError):
    """What rows lack for a claim.

    Args:
        what: In words.
        near: How much is there: 0 not the metric, 1 the metric, 2 its columns, 3 the
            rows that are asked for, but not all of their levels or seeds.
    """

    def __init__(self, what: str, near: int) -> None:
        """Keep how near it is."""
        super().__init__(what)
        self.near = near


def sides(form: Form) -> list[Where]:
    """Filters of a form, of each of which there must be rows."""
    if isinstance(form, Equivalence):
        return sides(form.form)
    values = [getattr(form, field.name) for field in fields(form)]
    found = [value for value in values if isinstance(value, Mapping)]
    named = [getattr(form, name, None) for name in ("level", "near", "far")]
    placed = [level for level, _ in getattr(form, "at", ())]
    levels = (
        getattr(form, "levels", None) or placed or [x for x in named if x is not None]
    )
    return [*found, *({factor_of(form): level} for level in levels)]


def factor_of(form: Form) -> str:
    """The column whose levels a form compares; empty if its filters do."""
    inner = form.form if isinstance(form, Equivalence) else form
    return getattr(inner, "factor", "")


def columns_of(form: Form) -> set[str]:
    """The columns that a form tells rows apart by."""
    if isinstance(form, Equivalence):
        return columns_of(form.form)
    found = {column for side in sides(form) for column in side}
    found |= {factor_of(form), *getattr(form, "along", ())}
    if isinstance(form, Nearer | Membership):
        found.add("target")
    return found - {"", "metric"}


def said(rows: pd.DataFrame, column: str) -> bool:
    """Whether any row says something in a column."""
    if column not in rows:
        return False
    return bool((rows[column].notna() & (rows[column] != "")).any())


def refuse_none(rows: pd.DataFrame, where: Where) -> None:
    """Refuse filters that leave nothing, by the first that does."""
    for column, wanted in where.items():
        left = matching(rows, {column: wanted})
        if left.empty:
            there = levels_in_words(rows, column)
            raise Lacking(f"{column} {value_in_words(wanted)} (there is {there})", 2)
        rows = left


def levels_in_words(rows: pd.DataFrame, column: str) -> str:
    """What there is in a column, sorted."""
    found = rows[column]
    values = sorted(found[found.notna() & (found != "")].unique())
    return ", ".join(map(value_in_words, values)) or "none"


def check_levels(form: Form, rows: pd.DataFrame) -> None:
    """Refuse rows that lack what a form compares."""
    for side in sides(form):
        if matching(rows, side).empty:
            column = next((c for c in side if matching(rows, {c: side[c]}).empty), "")
            there = f" (there is {levels_in_words(rows, column)})" if column else ""
            raise Lacking(f"{in_words(side)}{there}", 3)
    factor = factor_of(form)
    if factor and not getattr(form, "levels", None):
        least = 3 if isinstance(form, Peak) else 2
        count = rows[factor].replace("", None).nunique()
        if count < least:
            there = levels_in_words(rows, factor)
            raise Lacking(f"{least} levels of {factor} (there is {there})", 3)
