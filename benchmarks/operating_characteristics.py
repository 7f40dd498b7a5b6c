"""How often the judge is right, where the truth is known because it was planted.

``python -m benchmarks.operating_characteristics`` writes ``results/operating.csv``.
Every number comes from the forms and the rule that judge the measurements, on the rows
of ``planted_truths``. A claim is decided on its own, at a strength of 20.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.planted_truths import (
    BOUND,
    FORMS,
    LOOKS,
    NOISES,
    Looks,
    Sample,
    broken,
    sample,
)
from mae_bench.predictions import Form
from mae_bench.predictions._two_sided import TwoSided
from mae_bench.records import registry
from mae_bench.records.read import read_measurements
from mae_bench.records.rows import write_table
from mae_bench.records.strength import DECISIVE, of_signs
from mae_bench.verdicts import registration
from mae_bench.verdicts.case import Case
from mae_bench.verdicts.hearing import ruling
from mae_bench.verdicts.judge import judge
from mae_bench.verdicts.weigh import Weighed

MOST_SEEDS = 20
CLEAR = 3.0  # sd of a seed
ARTEFACTS = (0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Found:
    """A row of ``operating.csv``: a share of draws, unless its name says otherwise."""

    quantity: str
    form: str
    noise: str
    stopping: str
    goal: str
    value: float
    error: float
    draws: int
    met: str = ""

    @classmethod
    def share(
        cls, place: tuple[str, str, str, str], goal: str, hits: list[bool]
    ) -> Found:
        """Of a list of outcomes, with its standard error."""
        n = len(hits)
        p = sum(hits) / n
        return cls(*place, goal, p, math.sqrt(p * (1 - p) / n), n).held()

    def held(self) -> Found:
        """With whether it meets its goal."""
        sign, limit = self.goal.split()
        met = self.value >= float(limit) if sign == ">=" else self.value <= float(limit)
        return replace(self, met="yes" if met else "no")


def stopped(form: Form, looks: Looks) -> str:
    """The verdict once it is decided, seeds being added up to ``MOST_SEEDS``."""
    for effects in looks.until(MOST_SEEDS):
        if (word := form.decide(effects)) != "undecided":
            return word
    return "undecided"


def clear(kind: str, draws: int, rng: np.random.Generator) -> Iterator[Found]:
    """The right word, and the wrong one, of each form where the truth is clear."""
    stopping = f"when decided, {MOST_SEEDS} at most"
    for name, words in _stopped(kind, draws, rng):
        for truth, right, wrong in (
            ("true", "supported", "refuted"),
            ("false", "refuted", "supported"),
        ):
            place = (name, kind, stopping)
            hits = [word == right for word in words[truth]]
            yield Found.share(
                (f"{right} where clearly {truth}", *place), ">= 0.95", hits
            )
            hits = [word == wrong for word in words[truth]]
            yield Found.share(
                (f"{wrong} where clearly {truth}", *place), "<= 0.001", hits
            )


def _stopped(
    kind: str, draws: int, rng: np.random.Generator
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Form -> the words for it where it is true and where it is false."""
    for name, planted in FORMS.items():
        found = {}
        for truth, sign in (("true", 1), ("false", -1)):
            drawn = sample(planted, kind, draws, rng, low=truth == "false")
            margin = drawn.margin(planted.form, sign * CLEAR)
            form = replace(planted.form, margin=margin)
            found[truth] = [stopped(form, looks) for looks in drawn.each()]
        yield name, found
    found = {}
    for truth, share in (("true", 0.0), ("false", stats.norm.cdf(CLEAR))):
        rows = broken(kind, draws * LOOKS, share, rng)
        drawn = Sample(BOUND.effects(rows), draws, 0)
        found[truth] = [stopped(BOUND, looks) for looks in drawn.each()]
    yield "bound", found


def at_the_margin(kind: str, draws: int, rng: np.random.Generator) -> Iterator[Found]:
    """Support of what is just not true, looking after every seed."""
    stopping = f"after every seed, {LOOKS} at most"
    for name, planted in FORMS.items():
        # What is claimed to be close is at its margin if it is off.
        two_sided = isinstance(planted.form, TwoSided)
        drawn = sample(planted, kind, draws, rng, low=two_sided)
        form = replace(planted.form, margin=drawn.margin(planted.form, 0.0))
        ever, with_signs = [], []
        for looks in drawn.each():
            every = looks.until(LOOKS)
            held = [x for x in every if form.support(x, form.margin) >= DECISIVE]
            ever.append(bool(held))
            signs = (of_signs(form.as_claimed(x)) >= DECISIVE for x in held)
            with_signs.append(any(signs))
        place = (name, kind, stopping)
        yield Found.share(("supported at the margin", *place), "<= 0.05", ever)
        quantity = "supported at the margin, and by signs"
        yield Found.share((quantity, *place), "<= 0.05", with_signs)
    yield from half_broken(kind, draws, rng)


def half_broken(kind: str, draws: int, rng: np.random.Generator) -> Iterator[Found]:
    """Support of a bound that every second seed breaks."""
    rows = broken(kind, draws * LOOKS, 0.5, rng)
    looks = [*Sample(BOUND.effects(rows), draws, 0).each()]
    words = {
        f"when decided, {MOST_SEEDS} at most": [stopped(BOUND, x) for x in looks],
        "5 seeds": [BOUND.decide(x.after(5)) for x in looks],
    }
    for stopping, found in words.items():
        place = ("supported though half of the seeds break it", "bound", kind, stopping)
        yield Found.share(place, "<= 0.05", [word == "supported" for word in found])


def artefacts(draws: int, rng: np.random.Generator) -> Iterator[Found]:
    """Support of what is as large in the control."""
    prediction = registry.load("theories", "visible_share").predictions["N1"]
    known = pd.DataFrame({"value": [0.0], "status": "ok", "cell": ""})
    for name, planted in FORMS.items():
        ours, theirs = (sample(planted, "gaussian", draws, rng) for _ in range(2))
        pairs = [*zip(ours.each(), theirs.each(), strict=True)]
        for distance in ARTEFACTS:
            margin = ours.margin(planted.form, distance)
            form = replace(planted.form, margin=margin)
            for n in (5, MOST_SEEDS):
                hits = []
                for mine, other in pairs:
                    claim, control = mine.after(n), other.after(n)
                    weighed = [Weighed(form, known, {"": x}) for x in (claim, control)]
                    beyond = form.beyond(claim, control)
                    case = Case(prediction, *weighed, beyond=beyond)
                    hits.append(ruling(case, DECISIVE)[0] == "supported")
                quantity = f"supported where the control is alike, {distance:g} sd"
                place = (quantity, name, "gaussian", f"{n} seeds")
                yield Found.share(place, "<= 0.05", hits)


def covered(kind: str, draws: int, rng: np.random.Generator) -> Found:
    """Whether the intervals after each seed all hold the mean."""
    planted = FORMS["contrast with a constant"]
    drawn = sample(planted, kind, draws, rng)
    mean = float(drawn.effects.to_numpy().mean())
    hits = []
    for looks in drawn.each():
        ends = [planted.form.interval(x) for x in looks.until(LOOKS)]
        hits.append(all(low <= mean <= high for _, low, high in ends))
    stopping = f"after every seed, {LOOKS} at most"
    place = (
        "interval covers at every look",
        "contrast with a constant",
        kind,
        stopping,
    )
    return Found.share(place, ">= 0.95", hits)


def nulls(results: Path) -> Found:
    """Of the claims that are false by construction, as they were judged."""
    table = pd.read_csv(results / "verdicts.csv", keep_default_na=False)
    planted = table[table["standing"].str.startswith("planted")]
    words = planted.loc[planted["verdict"] != "not_measured", "verdict"]
    place = ("planted nulls supported", "all", "measured", "as judged")
    return Found.share(place, "<= 0.05", [word == "supported" for word in words])


def cost(results: Path) -> Found:
    """Processor seconds from the CSVs to the verdicts."""
    theories = {n: registry.load("theories", n) for n in registry.names("theories")}
    rules = registration.registered(results / "registered.csv")
    first = {key: rule.first_seed for key, rule in rules.items()}
    start = time.process_time()
    measured = read_measurements(results / "measurements")
    judge(theories, measured, first)
    spent = time.process_time() - start
    rows = sum(map(len, measured.values()))
    place = ("seconds to judge all rows", "all", "measured", f"{rows} rows")
    return Found(*place, "<= 6", spent, math.nan, 1).held()


def characteristics(results: Path, draws: int, seed: int = 0) -> pd.DataFrame:
    """All of them, a row each.

    Args:
        results: Folder of the measurements and their verdicts.
        draws: Of each share.
        seed: Of every draw.
    """
    rng = np.random.default_rng(seed)
    found: list[Found] = [nulls(results), cost(results)]
    for kind in NOISES:
        found += [*clear(kind, draws, rng), *at_the_margin(kind, draws, rng)]
        found.append(covered(kind, draws, rng))
    found += artefacts(draws, rng)
    return pd.DataFrame([asdict(one) for one in found]).sort_values(
        ["quantity", "noise", "stopping", "form"], ignore_index=True
    )


def main(arguments: list[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--output", type=Path, help="by default the results' folder")
    given = parser.parse_args(arguments)
    output = given.output or given.results
    table = characteristics(given.results, given.draws)
    write_table(table, output / "operating.csv")


if __name__ == "__main__":
    main()
