"""Prose whose numbers are those of the CSVs: a text with fields, filled.

A field is an expression of Jinja between double braces, such as
``{{ effect("hierarchical_latents/K1") }}``. What it may name are the methods of
``Fields``, and its filters are ``bare`` and ``interval``. A field that finds nothing is
an error: no text says nothing where it said a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from mae_bench import __version__
from mae_bench.experiments._chosen import AT_EQUAL_COST, Chosen
from mae_bench.pages import markdown
from mae_bench.pages.numerals import bare, interval
from mae_bench.pages.scorecard import NEW
from mae_bench.records.rows import in_words
from mae_bench.records.schema import Setting, UsageError
from mae_bench.records.stats import wilson
from mae_bench.verdicts.planting import PLANTED
from mae_bench.verdicts.roundings import kept

STANDINGS = {"framed": ("theorem", "derived"), "beyond": ("extrapolation",)}


class Fields:
    """What a field may ask of a folder of results.

    Args:
        results: The folder.
    """

    def __init__(self, results: Path) -> None:
        self.results = results
        self._read: dict[str, pd.DataFrame] = {}

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """``verdicts.csv`` by prediction."""
        return self.table("verdicts").set_index("prediction")

    def table(self, name: str) -> pd.DataFrame:
        """A CSV of the folder, read once.

        Raises:
            UsageError: There is none.
        """
        path = self.results / f"{name}.csv"
        if not path.exists():
            raise UsageError(f"no {path}")
        if name not in self._read:
            self._read[name] = pd.read_csv(path, low_memory=False)
        return self._read[name]

    def rows(self, experiment: str, **at: Setting) -> pd.Series:
        """A number a seed: the mean of the rows of an experiment that fit.

        Args:
            experiment: Its id.
            at: Column -> value; a token that is not named is the mean token, or none.

        Raises:
            UsageError: No row fits.
        """
        rows = self.table(f"measurements/{experiment}")
        keep = rows["status"] == "ok"
        if "token" not in at:
            keep &= rows["token"].isna() | rows["token"].isin(["mean"])
        if "view" not in at:
            keep &= rows["view"].isna() | (rows["view"] == "unmasked")
        for column, value in at.items():
            keep &= rows[column].isna() if value is None else rows[column] == value
        if not keep.any():
            raise UsageError(f"no row of {experiment} has {in_words(at)}")
        found: pd.Series = rows[keep].groupby("seed")["value"].mean()
        return found

    def board(self, dataset: str, method: str, column: str) -> float:
        """A number of ``leaderboard.csv``.

        Raises:
            UsageError: There is no such row.
        """
        return self._number("leaderboard", column, dataset=dataset, method=method)

    def ranked(self, dataset: str, method: str, column: str = "label_probe") -> str:
        """A headline of the leaderboard with its interval."""
        ends = (column, f"{column}_low", f"{column}_high")
        mean, low, high = (bare(self.board(dataset, method, end)) for end in ends)
        return f"{mean} ({low} to {high})"

    def leader(self, dataset: str, column: str, tracks: Sequence[str]) -> str:
        """Method of the best mean among tracks."""
        board = self.table("leaderboard")
        mine = board[(board["dataset"] == dataset) & board["track"].isin(tracks)]
        mine = mine.dropna(subset=[column])
        return str(mine.sort_values(column)["method"].iloc[-1])

    def probe(
        self, dataset: str, method: str, experiment: str = "leaderboard"
    ) -> pd.Series:
        """A number a seed: the attentive probe, the best read-out of what trains."""
        at = {"dataset": dataset, "method": method, "metric": "attentive_probe"}
        return self.rows(experiment, **at, token="patches")  # noqa: S106 - of a ViT

    def steps_at_equal_cost(self, dataset: str, method: str) -> int:
        """Steps of a method that cost what the training of MAE does."""
        return int(str(Chosen(AT_EQUAL_COST)(dataset, method, "quick")["steps"]))

    def forecast(
        self, theory: str, of: str, world: str, column: str = "skill"
    ) -> float:
        """A number of ``forecasts.csv``; NaN where the forecast was not held there.

        Args:
            theory: Whose.
            of: Experiment whose order was foretold.
            world: One of its worlds, or ``mean``.
            column: Of the table.
        """
        at = {"theory": theory, "forecast_of": of, "world": world}
        return self._number("forecasts", column, **at)

    def speed(self, cell: str, variant: str, column: str = "ratio_to_plain") -> float:
        """A number of ``speed.csv``."""
        return self._number("speed", column, cell=cell, variant=variant)

    def pace(self, cell: str, variant: str) -> str:
        """Times the speed of a plain loop, and the range over rounds."""
        table = self.table("speed")
        if not ((table["cell"] == cell) & (table["variant"] == variant)).any():
            return "not run"
        columns = ("ratio_to_plain", "low", "high")
        mean, low, high = (bare(self.speed(cell, variant, c), 2) for c in columns)
        return f"{mean} ({low} to {high})"

    def detected(
        self, detector: str, column: str, planted: str, size: float, quiet: float = 0.0
    ) -> float:
        """A number of ``detection.csv``."""
        at: dict[str, Setting] = {"planted": planted, "size": size, "quiet": quiet}
        return self._number("detection", column, detector=detector, **at)

    def operated(self, quantity: str, form: str, noise: str) -> float:
        """A value of ``operating.csv``."""
        at = {"quantity": quantity, "form": form, "noise": noise}
        return self._number("operating", "value", **at)

    def on_the_wrong_side(self) -> tuple[int, int]:
        """Verdicts on the wrong side where the truth is clear, and all of these."""
        table = self.table("operating")
        wrong = ("refuted where clearly true", "supported where clearly false")
        clear = table[table["quantity"].isin(wrong)]
        hits = (clear["value"] * clear["draws"]).round()
        return int(hits.sum()), int(clear["draws"].sum())

    def claims(self, theory: str) -> str:
        """The predictions of a theory that have rows, as a table."""
        return markdown.claims(self.table("verdicts"), theory)

    def operating(self) -> str:
        """``operating.csv``, a line a quantity."""
        return markdown.operating(self.table("operating"))

    def costs(self) -> str:
        """``costs.csv``."""
        return markdown.costs(self.table("costs"))

    def word(self, prediction: str) -> str:
        """The verdict, and its kind."""
        row = self.verdicts.loc[prediction]
        kind = f" ({row['kind']})" if isinstance(row["kind"], str) else ""
        return f"{row['verdict'].replace('_', ' ')}{kind}"

    def effect(self, prediction: str, digits: int = 3) -> str:
        """Effect and interval of a prediction, as it was judged; too few have none."""
        row = self.verdicts.loc[prediction]
        if pd.isna(row["ci_low"]):
            return f"{bare(row['estimate'], digits)} (no interval)"
        ends = [bare(row[c], digits) for c in ("estimate", "ci_low", "ci_high")]
        return f"{ends[0]} ({ends[1]} to {ends[2]})"

    def count(self, standing: str = "", verdict: str = "") -> int:
        """Predictions that have rows, planted nulls apart.

        Args:
            standing: ``framed`` (theorems and what is derived from one), ``beyond``,
                ``planted``, or all but these.
            verdict: A word of ``verdicts.csv``, or all.
        """
        rows = self._measured_verdicts(standing)
        return len(rows) if not verdict else int((rows["verdict"] == verdict).sum())

    def renewed(self, pilot: str = "", verdict: str = "", standing: str = "") -> int:
        """Predictions that new seeds rule, which the pilot did not see.

        Args:
            pilot: A word that the pilot's seeds said of them, or any.
            verdict: A word that the new ones say, or any.
            standing: See ``count``.
        """
        rows = self._measured_verdicts(standing)
        rows = rows[rows["phase"] == NEW]
        for column, word in (("pilot", pilot), ("verdict", verdict)):
            rows = rows[rows[column] == word] if word else rows
        return len(rows)

    def alike_when_rounded(self) -> str:
        """How many decided verdicts every rounding gives, of those with several."""
        same, decided, low, high = kept(
            self.table("verdicts").fillna({"by_rounding": ""})
        )
        return f"{same} of {decided} ({bare(low, 2)} to {bare(high, 2)})"

    def undecided_within(self, seeds: int) -> int:
        """How many that are undecided so many more seeds would decide."""
        rows = self._measured_verdicts("")
        open_ = rows[rows["verdict"] == "undecided"]
        return int((open_["more_seeds"] <= seeds).sum())

    def without_rows(self, *, declared: bool) -> int:
        """Predictions without a row: of declared cells, or of what nothing reads."""
        rows = self.verdicts[self.verdicts["verdict"] == "not_measured"]
        rows = rows[~rows["standing"].str.startswith(PLANTED, na=False)]
        none = rows["reason"].isin(("no rows", "no row has a value"))
        return int((none if declared else ~none).sum())

    def _number(self, name: str, column: str, **at: Setting) -> float:
        """The number of a table's only row that fits."""
        table = self.table(name)
        found = table[(table[[*at]] == pd.Series(at)).all(axis=1)]
        if len(found) != 1:
            raise UsageError(f"no single row of {name} has {in_words(at)}")
        return float(found[column].iloc[0])

    def _measured_verdicts(self, standing: str) -> pd.DataFrame:
        rows = self.verdicts[self.verdicts["verdict"] != "not_measured"]
        planted = rows["standing"].str.startswith(PLANTED)
        if standing == "planted":
            return rows[planted]
        if not standing:
            return rows[~planted]
        return rows[rows["standing"].str.split(",").str[0].isin(STANDINGS[standing])]


def fill(text: str, results: Path) -> str:
    """A text with every field filled.

    Args:
        text: The text.
        results: Folder of the CSVs.

    Raises:
        UsageError: A field finds no number.
    """
    words = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, from our own files
    )
    words.filters.update(bare=bare, interval=interval)
    fields = Fields(results)
    known = {n: getattr(fields, n) for n in dir(Fields) if not n.startswith("_")}
    return words.from_string(text).render(known, wilson=wilson, version=__version__)
