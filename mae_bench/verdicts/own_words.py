"""What somebody's own rows say, as plain text of 80 columns, theory by theory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

import pandas as pd

from mae_bench.verdicts.own import OwnVerdicts

WIDTH = 80
ABOUT = (
    "A verdict is about the setting of these rows, and about no other.",
    "Effects are turned so that positive is what is claimed; of an equality or an "
    "equivalence they are the difference, claimed to lie within the margin. Estimate, "
    "interval and margin are in the unit of the metric; margins are the predictions' "
    "own, set for the suite's worlds. Intervals hold at any number of seeds.",
    "Of rows from elsewhere it is not known whether trainings have converged, nor what "
    "is the best that their world allows.",
)
OF_FORECASTS = (
    "Forecasts: Kendall's tau of what a theory's formulas say of each configuration "
    "with what was measured; formulas are of images 8 pixels wide, as the suite's are."
)
OF_NAMED = (
    "Predictions that are named are decided among themselves, and not among all: right "
    "only if they were chosen before the rows were seen."
)
_TABLE = "  {:<15} {:<14} {:>28} {:>7} {:>3} {:>6}"
_ORDER = "  {:<24} {:<24} {:>20} {:>6}"


def render(found: OwnVerdicts, *, whole: bool = False) -> str:
    """The verdicts, the forecasts, and what is missing for the others.

    Args:
        found: What is said.
        whole: Whether predictions were named, of which each is told line by line.
    """
    named = [*wrap(OF_NAMED, WIDTH), ""] if whole else []
    parts = (_verdicts(found), named, _forecasts(found), _missing(found, whole))
    return "\n".join(line for part in parts for line in part)


def _verdicts(found: OwnVerdicts) -> Iterator[str]:
    for theory, rows in found.verdicts.groupby("theory", sort=False):
        yield from wrap(f"{theory}: {rows['paper'].iloc[0]}", WIDTH)
        head = ("", "verdict", "estimate (interval)", "margin", "n", "more")
        yield _TABLE.format(*head)
        for row in rows.to_dict("records"):
            yield from _verdict(row)
        yield ""
    for words in ABOUT:
        yield from wrap(words, WIDTH)
    yield ""


def _verdict(row: dict[Any, Any]) -> Iterator[str]:
    number = row["prediction"].partition("/")[2]
    interval = f"{number_of(row['estimate'])} ({interval_of(row)})"
    yield _TABLE.format(
        number,
        row["verdict"].replace("_", " "),
        interval,
        number_of(row["margin"]),
        row["n_seeds"],
        more_of(row["more_seeds"]),
    )
    yield from _indented(row["claim"])
    for word, said in notes_of(row):
        yield from _indented(f"{word}: {said}")


def notes_of(row: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    """What else is said of a verdict: a word, and what follows it."""
    if row["kind"]:
        yield "refuted", row["kind"]
    if row["reason"]:
        yield "why", row["reason"]
    if math.isfinite(row["e_value"]):
        seeds = f"; as claimed on their own {row['above']} seeds" * bool(row["above"])
        yield "e-value", f"{row['e_value']:.3g}, decided at {row['asked']:.3g}{seeds}"
    control = row["control_verdict"]
    if control == "none":
        yield "no control", row["control"].removeprefix("none: ")
    else:
        yield "control", f"{control.replace('_', ' ')}: {row['control']}"
    yield "unit", row["unit"]
    for word in ("best at", "conditions", "read", "assumed", "unknown"):
        if said := row["location" if word == "best at" else word]:
            yield word, said


def number_of(value: float) -> str:
    """Three digits, or a dash.

    >>> number_of(0.12345), number_of(math.nan)
    ('0.123', '-')
    """
    return "-" if math.isnan(value) else f"{value:.3g}"


def interval_of(row: dict[Any, Any]) -> str:
    """Both ends in words."""
    if math.isnan(row["ci_low"]):
        return "no interval"
    return f"{number_of(row['ci_low'])} to {number_of(row['ci_high'])}"


def more_of(seeds: float) -> str:
    """How many more seeds would decide, if mean and spread stayed.

    >>> more_of(0.0), more_of(12.0), more_of(math.inf), more_of(math.nan)
    ('0', '12', '>1000', '-')
    """
    if math.isnan(seeds):
        return "-"
    return f"{seeds:.0f}" if math.isfinite(seeds) else ">1000"


def _indented(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 6)


def _forecasts(found: OwnVerdicts) -> Iterator[str]:
    yield from wrap(OF_FORECASTS, WIDTH)
    known = found.forecasts[found.forecasts["missing"] == ""]
    if len(known):
        yield _ORDER.format("theory", "grid", "tau (95 %)", "p")
        for row in known.to_dict("records"):
            tau = f"{row['skill']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
            said = (row["theory"], row["forecast_of"], tau, f"{row['p_value']:.3f}")
            yield _ORDER.format(*said)
    lacking = found.forecasts[found.forecasts["missing"] != ""]
    for (grid, lack), rows in lacking.groupby(["forecast_of", "missing"], sort=False):
        names = ", ".join(map(str, rows["theory"]))
        yield from _hanging(f"no order on {grid!s} of {names}: missing {lack!s}")
    yield ""


def _hanging(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _missing(found: OwnVerdicts, whole: bool) -> Iterator[str]:
    if found.missing.empty:
        return
    yield f"Not judged, {len(found.missing)}, and what is missing:"
    told = found.missing["near"] > (-1 if whole else 0)
    for row in found.missing[told].to_dict("records"):
        yield _cut(f"  {row['prediction']}: {row['missing']}")
    rest = found.missing[~told]
    if len(rest):
        counts = Counter(rest["metric"]).most_common()
        said = ", ".join(f"{name} {count}" for name, count in counts)
        yield from _hanging(f"of numbers that are not there, {len(rest)}: {said}")


def _cut(line: str) -> str:
    """One line, ended where it is too long."""
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 4].rstrip()} ..."


def written(frame: pd.DataFrame) -> str:
    """How many of each verdict, in words.

    >>> written(pd.DataFrame({"verdict": ["refuted", "supported", "refuted"]}))
    '2 refuted, 1 supported'
    """
    counts = Counter(map(str, frame["verdict"])).most_common()
    return ", ".join(f"{n} {word}".replace("_", " ") for word, n in counts)
