"""A prediction as a card: its verdict, its words, its line against the margin."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mae_bench.pages import scorecard
from mae_bench.pages.page import number, whole
from mae_bench.records.folders import PUBLISHED_TIER

Row = Mapping[str, str]

# Column of a verdict -> what it is called on the card, in its order.
WORDS = {
    "place": "in the paper",
    "control": "control",
    "refuted_by": "refuted by",
    "margin_reason": "why this margin",
}
FACTS = {
    "standing": "standing",
    "form": "form",
    "experiment": "experiment",
    "metric": "metric",
    "unit": "unit",
    "n_seeds": "seeds",
    "above": "seeds as claimed",
    "e_value": "e-value",
    "asked": "decided at",
    "more_seeds": "more seeds to decide",
    "minimum_detectable_effect": "detectable effect",
    "location": "best at",
    "conditions": "each condition",
    "failed": "failed",
}
LEFT, RIGHT = 8.0, 352.0  # ends of the axis in its picture


@dataclass(frozen=True)
class Axis:
    """Effect, interval, margin, control and 0 on one line, to scale.

    Args:
        low: Its left end, in the unit of the effect.
        high: Its right end.
        effect: The estimate.
        interval: Its ends; None if one seed gives none.
        claimed: From where to where an effect is as claimed; may be infinite.
        control: The control's estimate; None if it is not known.
    """

    low: float
    high: float
    effect: float
    interval: tuple[float, float] | None
    claimed: tuple[float, float]
    control: float | None

    def x(self, value: float) -> str:
        """Where a number is in the picture; its end if it lies beyond."""
        share = (value - self.low) / (self.high - self.low)
        return f"{LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0):.1f}"

    @property
    def margins(self) -> list[float]:
        """The ends of what is claimed."""
        return [end for end in self.claimed if math.isfinite(end)]

    @property
    def said(self) -> str:
        """The picture in words."""
        parts = [f"effect {_said(self.effect)}"]
        if self.interval:
            parts.append("95 % interval {} to {}".format(*map(_said, self.interval)))
        low, high = self.claimed
        ends = f"above {_said(low)}"
        if math.isfinite(high):
            ends = f"between {_said(low)} and {_said(high)}"
        parts.append(f"claimed: {ends}")
        if self.control is not None:
            parts.append(f"control {_said(self.control)}")
        return "; ".join(parts)


def _said(value: float) -> str:
    return number(f"{value:.6g}")


def axis(row: Row) -> Axis | None:
    """The line of a verdict; None where nothing was estimated.

    Args:
        row: Of ``verdicts.csv``.
    """
    effect, margin = _float(row["estimate"]), _float(row["margin"])
    if effect is None or margin is None:
        return None
    low, high = _float(row["ci_low"]), _float(row["ci_high"])
    interval = None if low is None or high is None else (low, high)
    apart = _float(row["difference"])
    # Of several conditions the least difference is of another than the effect.
    control = None if apart is None or row["conditions"] else effect - apart
    claimed = (margin, math.inf)
    if row["form"] in scorecard.TWO_SIDED:
        claimed = (-margin, margin)
    elif row["form"] == "bound":
        claimed = (-margin, math.inf)
    marks = [0.0, effect, *(interval or ()), *filter(math.isfinite, claimed)]
    marks += [] if control is None else [control]
    least, most = min(marks), max(marks)
    room = 0.06 * (most - least) or 1.0
    return Axis(least - room, most + room, effect, interval, claimed, control)


def _float(value: str) -> float | None:
    """None of what is missing or not finite."""
    known = float(value or math.nan)
    return known if math.isfinite(known) else None


@dataclass(frozen=True)
class Card:
    """What is said of a prediction.

    Args:
        row: Of ``verdicts.csv``.
        anchor: Its address on the page.
        figures: Names of the figures of its experiment.
        rows: Whether its experiment's rows are beside the page.
        tier: Of the rows.
    """

    row: Row
    anchor: str
    figures: Sequence[str] = ()
    rows: bool = False
    tier: str = PUBLISHED_TIER

    @property
    def number(self) -> str:
        """Its number in its theory."""
        return short(self.row)

    @property
    def measured(self) -> bool:
        """Whether it was judged by any rows."""
        return self.row["verdict"] != "not_measured"

    @property
    def axis(self) -> Axis | None:
        """Its line."""
        return axis(self.row)

    @property
    def said(self) -> list[str]:
        """Whose seeds judged it, what became of its control, and why."""
        row = self.row
        if not self.measured:
            return ["Not measured.", _sentence(row["reason"] if row["claim"] else "")]
        said = [
            "By new seeds."
            if row["phase"] == scorecard.NEW
            else "By the pilot's seeds."
        ]
        if row["confirmed"]:
            said.append(f"Confirms the pilot: {row['confirmed']}.")
        told = row["reason"].startswith("its control")
        if row["control_verdict"] not in ("", "none") and not told:
            said.append(f"Its control: {row['control_verdict'].replace('_', ' ')}.")
        return [*said, _sentence(row["reason"])]

    @property
    def facts(self) -> dict[str, str]:
        """The numbers behind the verdict, those that are known."""
        known = {**self.row, "more_seeds": whole(self.row["more_seeds"])}
        for column in ("e_value", "asked", "minimum_detectable_effect"):
            known[column] = known[column] and number(known[column])
        if not self.measured:
            known["n_seeds"] = ""
        return {
            words: known[column] for column, words in FACTS.items() if known[column]
        }

    @property
    def words(self) -> dict[str, str]:
        """What its theory says of it, as far as it says it."""
        return {words: self.row[c] for c, words in WORDS.items() if self.row.get(c)}

    @property
    def again(self) -> str:
        """The command that runs it anew; empty without an experiment."""
        if not self.row["experiment"]:
            return ""
        line = f"mae-bench run --experiment {shlex.quote(self.row['experiment'])}"
        return line + f" --tier {self.tier}" * (self.tier != PUBLISHED_TIER)


def short(row: Row) -> str:
    """The number of a prediction in its theory, which may be all of its name."""
    theory, _, last = row["prediction"].partition("/")
    return last or theory


def _sentence(words: str) -> str:
    return words and f"{words[0].upper()}{words[1:].rstrip('.')}."
