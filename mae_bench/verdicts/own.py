"""Which theory predicts my result? Every prediction, held against one's own rows.

The forms, the margins and the judge are the suite's; the rows, the worlds and the
networks are somebody's own, and so a verdict is about these and no other. It is in the
metric's unit, with the prediction's own margin. Nothing of the suite's is read or
changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from mae_bench.records import registry
from mae_bench.records.own_rows import factors_of, own_rows, renamed
from mae_bench.records.rows import write_table
from mae_bench.records.schema import UsageError
from mae_bench.records.strength import ANYTIME, ENOUGH_SEEDS, Rule
from mae_bench.records.words import shared
from mae_bench.verdicts.applying import Applied, Asked, apply
from mae_bench.verdicts.compared import Lacking
from mae_bench.verdicts.evidence import in_order
from mae_bench.verdicts.hearing import Hearing, hear
from mae_bench.verdicts.lacking import in_one_line
from mae_bench.verdicts.own_forecasts import judge_own_forecasts
from mae_bench.verdicts.told import Told, asked_of

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory

# What is written of the verdicts on somebody's rows, with ``Verdict``'s columns.
SHOWN = (
    *("prediction", "theory", "standing", "form", "verdict", "kind", "estimate"),
    *("ci_low", "ci_high", "margin", "unit", "n_seeds", "e_value", "asked"),
    *("more_seeds", "above", "control_verdict", "difference", "headroom"),
    *("conditions", "location", "reason", "claim", "refuted_by", "metric"),
    *("control", "paper", "place", "margin_reason", "version"),
)
OF_ROWS = ("read", "assumed", "unknown")
_ROUNDING = 1e-6
MISSING = ("prediction", "theory", "missing", "near", "claim", "metric", "experiment")


class OwnVerdicts(NamedTuple):
    """What somebody's rows say of the theories.

    Args:
        verdicts: A row a prediction that could be judged: columns of ``Verdict``; which
            rows were ``read``, what was ``assumed`` of them, what is ``unknown``.
        missing: A row a prediction that could not: what is ``missing``, the ``near``
            ones first: 3 has all but some levels or seeds, 0 not even the metric.
        forecasts: A row a forecast, the best first: Kendall's tau with what was
            measured, its interval; or what is ``missing``.
    """

    verdicts: pd.DataFrame
    missing: pd.DataFrame
    forecasts: pd.DataFrame


def judge_own(
    theories: Mapping[str, Theory],
    rows: pd.DataFrame,
    *,
    source: str = "the table",
    wanted: Collection[str] = (),
    names: Mapping[str, tuple[str, str]] | None = None,
    rule: Rule = ANYTIME,
) -> OwnVerdicts:
    """Judge predictions by somebody's own rows.

    Args:
        theories: By id.
        rows: ``seed``, ``metric``, ``value``, factors; see ``records.own_rows``.
        source: What the rows are called in messages.
        wanted: Predictions, ``theory/number``, of which it is said that the rows are
            what they speak of; all that may be if empty.
        names: Her name of a metric -> ours, and its target or "".
        rule: How effects are weighed.

    Raises:
        UsageError: No prediction can be judged; a line that says what is missing.
    """
    _refuse_named(theories, wanted)
    given = renamed(rows if "cell" in rows else own_rows(rows), names or {})
    _refuse(given, source, wanted)
    rows, asked = _in_order(given), Asked(theories)
    told, applied, missing = [], {}, []
    for name, theory in theories.items():
        for number, prediction in theory.predictions.items():
            key = f"{name}/{number}"
            if prediction.planted or (wanted and key not in wanted):
                continue
            try:
                found = apply(prediction, rows, asked, named=key in wanted)
                hearing = _hearing(found, rule)
            except Lacking as lack:
                missing.append(_missing(key, prediction, lack))
                continue
            applied[key] = found
            told.append(Told(key, name, found.prediction, {"all": hearing}))
    lacking = pd.DataFrame(missing, columns=list(MISSING))
    lacking = lacking.sort_values("near", ascending=False, kind="stable")
    if not told:
        raise UsageError(
            "; ".join([_nothing(source, lacking, given), *strangers(given)])
        )
    strength = asked_of(told, rule)
    verdicts = [
        {
            **vars(replace(each.verdict(strength), paper=theories[each.theory].paper)),
            **{name: getattr(applied[each.key], name) for name in OF_ROWS},
        }
        for each in told
    ]
    return OwnVerdicts(
        pd.DataFrame(verdicts),
        lacking.reset_index(drop=True),
        judge_own_forecasts(theories, rows, asked),
    )


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """See ``evidence.in_order``, which leaves out of which experiment a row is."""
    kept = shared(in_order(rows.assign(of=rows["experiment"])))
    return kept.rename(columns={"of": "experiment"})


def _hearing(found: Applied, rule: Rule) -> Hearing:
    """What the rows of a claim say of it.

    Raises:
        Lacking: Too few whole seeds, or rows that cannot be looked at together.
    """
    prediction = found.prediction
    there, enough = found.rows["seed"].nunique(), prediction.form.enough
    if there < enough:
        raise Lacking(
            f"{enough} seeds (there {'is' if there == 1 else 'are'} {there})", 3
        )
    try:
        hearing = hear(prediction, {prediction.experiment.id: found.rows}, rule)
    except ValueError as error:  # a form that refuses these rows
        raise Lacking(" ".join(str(error).split()), 3) from error
    if hearing.case is None:
        raise Lacking(hearing.reason, 3)
    if (n := hearing.case.claim.n_seeds) < enough:
        whole = f"{n} of {there} have all that is compared"
        raise Lacking(f"{enough} whole seeds ({whole})", 3)
    return hearing


def _missing(key: str, prediction: Prediction, lack: Lacking) -> dict[str, object]:
    theory = key.partition("/")[0]
    metric, experiment = prediction.metric.id, prediction.experiment.id
    said = (key, theory, str(lack), lack.near, prediction.claim, metric, experiment)
    return dict(zip(MISSING, said, strict=True))


def _nothing(source: str, missing: pd.DataFrame, rows: pd.DataFrame) -> str:
    """Why nothing can be judged, and what each prediction lacks."""
    seeds = rows["seed"].nunique()
    if seeds < ENOUGH_SEEDS:
        said = f"{seeds} seed{'s' * (seeds > 1)}; a verdict needs {ENOUGH_SEEDS}"
        return f"{source} has {said}: {in_one_line(missing)}"
    if len(missing) == 1:
        key, lack = missing[["prediction", "missing"]].iloc[0]
        return f"{source}: {key} cannot be judged; missing: {lack}"
    said = f"none of {len(missing)} predictions can be judged"
    return f"{source}: {said}: {in_one_line(missing)}"


def _refuse(rows: pd.DataFrame, source: str, wanted: Collection[str]) -> None:
    """Refuse a table of which nothing can be judged, whatever is claimed."""
    known = registry.names("metrics")
    if not wanted and not set(rows["metric"]) & {*known}:
        name = sorted(set(rows["metric"]))[0]
        near = registry.nearest(name, known)
        raise UsageError(
            f"{source}: no prediction can be judged: unknown metric {name!r}; did you "
            f"mean {near}? Of a name of your own say which it is: --as METRIC={name}"
        )
    for metric in sorted(set(rows["metric"]) & {*known}):
        part = registry.load("metrics", metric)
        values = rows.loc[rows["metric"] == metric, "value"]
        if values.max() > part.upper + _ROUNDING:
            raise UsageError(
                f"{source}: {metric} {values.max():g} is above {part.upper:g}, its "
                "greatest value; margins are in its unit, so give no per cent"
            )


def _refuse_named(theories: Mapping[str, Theory], wanted: Collection[str]) -> None:
    """Refuse a prediction that is named, and no rows can be held against."""
    for key in wanted:
        theory, _, number = key.partition("/")
        if number in theories[theory].unmeasured:
            raise UsageError(f"{key}: {theories[theory].unmeasured[number]}")
        if theories[theory].predictions[number].planted:
            raise UsageError(f"{key} is false on purpose, and is of the suite's rows")


def strangers(rows: pd.DataFrame, names: Collection[str] = ()) -> list[str]:
    """Lines about metrics and factors that are none of ours, and about doubled seeds.

    Args:
        rows: See ``records.own_rows``.
        names: Of metrics, that stand for ours.
    """
    known = [*registry.names("metrics"), *names]
    lines = []
    for name in sorted({*rows["metric"]} - {*known}):
        near = ", ".join(get_close_matches(name, known, n=3, cutoff=0.4))
        hint = f"; near are {near}" if near else ""
        lines.append(f"{name}: not a metric of ours, not read{hint}; see --as")
    factors = _factors()
    lines += [
        f"column {name}: not a factor of ours; near is {', '.join(alike)}"
        for name in sorted({*factors_of(rows)} - factors)
        if (alike := get_close_matches(name, factors, n=3, cutoff=0.8))
    ]
    kept = {*in_order(rows)["seed"]}
    if doubled := sorted({*map(int, rows["seed"])} - kept):
        lines.append(
            f"seeds {', '.join(map(str, doubled))} have the numbers of others in every "
            "row: they are no sample, and do not count"
        )
    return lines


def _factors() -> set[str]:
    """Of all experiments."""
    parts = registry.load_all("experiments").values()
    return {factor for experiment in parts for factor in experiment.factors}


def write(found: OwnVerdicts, folder: Path) -> list[Path]:
    """Write ``my_verdicts.csv`` and ``my_forecasts.csv``.

    What is missing of a prediction stands as its reason, ``not_measured``.

    Raises:
        StoreError: The disk does not take it; each file is whole, old or new.
    """
    lacking = found.missing.rename(columns={"missing": "reason"})
    lacking = lacking.assign(verdict="not_measured")
    table = pd.concat([found.verdicts, lacking], ignore_index=True)
    paths = [folder / "my_verdicts.csv", folder / "my_forecasts.csv"]
    write_table(table.reindex(columns=[*SHOWN, *OF_ROWS]), paths[0])
    write_table(found.forecasts, paths[1])
    return paths
