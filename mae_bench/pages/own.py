"""The verdicts on somebody's own rows as one page that needs no other file."""

from __future__ import annotations

from typing import Any

from mae_bench import __version__
from mae_bench.pages.cards import axis
from mae_bench.pages.page import page
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


def own_page(found: OwnVerdicts, source: str, *, date: str, tier: str = "") -> str:
    """The page.

    Args:
        found: What is said of the rows.
        source: What they are called.
        date: Of the page.
        tier: Of what encoders were shown; empty of rows.
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
        date=date,
        tier=tier,
        version=__version__,
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
        "axis": axis({name: str(value) for name, value in row.items()}),
    }
