"""The verdicts on somebody's own rows as one page that needs no other file."""

from __future__ import annotations

import math
from typing import Any

from mae_bench.pages.page import page
from mae_bench.pages.scorecard import COLOURS, TWO_SIDED
from mae_bench.verdicts.own import OwnVerdicts
from mae_bench.verdicts.own_words import (
    ABOUT,
    OF_FORECASTS,
    interval_of,
    more_of,
    notes_of,
    number_of,
    written,
)

# Said with the word, never by colour alone.
SIGNS = {"supported": "+", "refuted": "\N{MINUS SIGN}", "undecided": "?"}


def own_page(found: OwnVerdicts, source: str) -> str:
    """The page.

    Args:
        found: What is said of the rows.
        source: What they are called.
    """
    theories = [
        (theory, rows["paper"].iloc[0], [_card(row) for row in rows.to_dict("records")])
        for theory, rows in found.verdicts.groupby("theory", sort=False)
    ]
    return page(
        "own",
        source=source,
        counts=written(found.verdicts),
        theories=theories,
        forecasts=found.forecasts.to_dict("records"),
        of_forecasts=OF_FORECASTS,
        missing=found.missing.to_dict("records"),
        about=ABOUT,
        colours=COLOURS,
        signs=SIGNS,
    )


def _card(row: dict[Any, Any]) -> dict[str, Any]:
    """One prediction as it is shown."""
    return {
        "number": row["prediction"].partition("/")[2],
        "prediction": row["prediction"],
        "verdict": row["verdict"],
        "claim": row["claim"],
        "estimate": number_of(row["estimate"]),
        "interval": interval_of(row),
        "margin": number_of(row["margin"]),
        "n_seeds": row["n_seeds"],
        "more": more_of(row["more_seeds"]),
        "notes": [*notes_of(row), ("why this margin", row["margin_reason"])],
        "axis": axis(row),
    }


def axis(row: dict[Any, Any]) -> dict[str, Any]:
    """Where estimate, interval, nought and margins are on a line from 0 to 100.

    >>> row = {"estimate": 0.5, "ci_low": 0.0, "ci_high": 1.0, "margin": 0.25}
    >>> axis({**row, "form": "trend"})
    {'low': 2.0, 'high': 98.0, 'estimate': 50.0, 'nought': 2.0, 'margins': [26.0]}
    """
    margins = [row["margin"]]
    if row["form"] in TWO_SIDED:
        margins.append(-row["margin"])
    named = {"low": row["ci_low"], "high": row["ci_high"]}
    named |= {"estimate": row["estimate"], "nought": 0.0}
    known = [v for v in (*named.values(), *margins) if math.isfinite(v)]
    least, width = min(known), (max(known) - min(known)) or 1.0

    def place(value: float) -> float | None:
        share = (value - least) / width
        return round(2 + 96 * share, 1) if math.isfinite(value) else None

    at = {name: place(value) for name, value in named.items()}
    return {**at, "margins": [place(margin) for margin in margins]}
