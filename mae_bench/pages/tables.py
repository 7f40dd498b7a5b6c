"""The leaderboard and the verdicts as a page's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from mae_bench.metrics import Headline
from mae_bench.pages import scorecard
from mae_bench.pages.page import LEAST, cell, head, interval, number, table, text
from mae_bench.verdicts.rank import CEILING, FLOOR, HEADLINES

Row = Mapping[str, str]

ARROWS = {"max": " ↑", "min": " ↓", "none": ""}
ROLES = {FLOOR: "floor", CEILING: "ceiling"}
SCORES = {
    "theorem": "theorem_score",
    "extrapolation": "extrapolation_score",
    "forecast": "forecast_skill",
}


def _strip(row: Row, name: str, low: float, high: float) -> str:
    """The interval as a line between the least and the greatest of its column."""

    def x(text: str) -> float:
        return 2 + 96 * (float(text) - low) / ((high - low) or 1.0)

    ends = "".join(
        f'<path d="M{x(row[name + end]):.1f} 0v10" stroke="currentColor" '
        f'stroke-dasharray="{dash}" opacity=".5"/>'
        for end, dash in (("_floor", "2 2"), ("_ceiling", "10 0"))
        if row[name + end]
    )
    line = ""
    if row[f"{name}_low"]:
        a, b = x(row[f"{name}_low"]), x(row[f"{name}_high"])
        line = f'<path d="M{a:.1f} 5H{b:.1f}" stroke="currentColor" stroke-width="2"/>'
    dot = f'<circle cx="{x(row[name]):.1f}" cy="5" r="2.5" fill="currentColor"/>'
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f"{ends}{line}{dot}</svg>"
    )


def _standing(row: Row, headline: Headline) -> str:
    """What is known beside the value: ranks, seeds, chance."""
    name = headline.name
    best, worst = row[f"{name}_rank_best"], row[f"{name}_rank_worst"]
    parts = [f"n {row[f'{name}_n_seeds']}"]
    if best:
        parts.insert(
            0, f"rank {best}" if best == worst else f"rank {best}&ndash;{worst}"
        )
    if row[f"{name}_chance"]:
        parts.append(f"chance {number(row[f'{name}_chance'])}")
    return f"<small>{' · '.join(parts)}</small>"


def _board(rows: Sequence[Row]) -> str:
    """The table of one dataset: methods against headlines."""
    shown = [h for h in HEADLINES if any(row[h.name] for row in rows)]
    spans = {h: _span(rows, h) for h in shown}
    heads = [head("method", "string", "asc"), *(_title(rows[0], h) for h in shown)]
    heads += [head("coverage", "string"), head("status", "string")]
    body = []
    for row in rows:
        role = f"<small>{ROLES.get(row['method'], '')}</small>"
        cells = [cell(escape(row["method"]) + role, row["method"])]
        cells += [_value(row, h, *spans[h]) for h in shown]
        body.append([*cells, text(row["coverage"]), text(row["status"])])
    return table(heads, body)


def _span(rows: Sequence[Row], headline: Headline) -> tuple[float, float]:
    """The least and the greatest number of a column."""
    parts = ("", "_low", "_high", "_floor", "_ceiling")
    seen = [row[headline.name + part] for row in rows for part in parts]
    numbers = [float(value) for value in seen if value]
    return min(numbers), max(numbers)


def _title(row: Row, headline: Headline) -> str:
    ends = {end: row[f"{headline.name}_{end}"] for end in ("floor", "ceiling")}
    told = " · ".join(f"{end} {number(value)}" for end, value in ends.items() if value)
    words = escape(headline.name.replace("_", " ")) + ARROWS[headline.direction]
    start = "asc" if headline.direction == "min" else "desc"
    return head(f"{words}<small>{told}</small>", start=start)


def _value(row: Row, headline: Headline, low: float, high: float) -> str:
    name = headline.name
    missing = -LEAST if headline.direction == "min" else LEAST
    if not row[name]:
        return cell("", missing=missing)
    first = "first" if row[f"{name}_rank_best"] == "1" else ""
    inner = (
        f"<b>{number(row[name])}</b>"
        + interval(row[f"{name}_low"], row[f"{name}_high"])
        + _strip(row, name, low, high)
        + _standing(row, headline)
    )
    return cell(inner, row[name], kind=first)


def leaderboard(rows: Sequence[Row]) -> str:
    """The leaderboard, a table a dataset.

    Args:
        rows: ``leaderboard.csv``.
    """
    parts = [
        "<p>Means over seeds with 95 % intervals, frozen features read by a probe. "
        "Ranks are intervals, from paired differences: <b>bold is first, or tied with "
        "it</b>. The floor (dashed) is the same encoder, untrained; the ceiling "
        "(solid), the causes themselves; chance, the same features with the causes "
        "shuffled. None is ranked, nor are errors of reconstruction: methods are asked "
        "for different patches. A failed cell lowers the coverage, and nothing is "
        "imputed.</p>"
    ]
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        mine = [row for row in rows if row["dataset"] == dataset]
        parts.append(f"<h2>{escape(dataset)}</h2>{_board(mine)}")
    if not rows:
        parts.append("<p>No cell of the leaderboard has been measured.</p>")
    return "\n".join(parts)


def theories(scores: Sequence[Row], verdicts: Sequence[Row]) -> str:
    """What became of every theory, and of each of its predictions.

    Args:
        scores: ``theories.csv``.
        verdicts: ``verdicts.csv``.
    """
    order = sorted(
        scores, key=lambda s: (_measured(s) == 0, -_measured(s), s["theory"])
    )
    parts = [
        "<p>Effects are turned so that positive is what the theory claims, in the unit "
        "of the metric, means over seeds with 95 % intervals; of an equality or an "
        "equivalence, the signed difference, claimed to lie within the margin; of a "
        "bound, the least slack and its range over seeds. Scores are the shares that "
        "are supported among the decided, with Wilson intervals; forecasts, Kendall's "
        "tau between what was forecast without training and what was measured. A claim "
        "is void if its control supports it too.</p>",
        _scores(order),
    ]
    for score in order:
        name = score["theory"]
        mine = [row for row in verdicts if row["theory"] == name]
        parts.append(f'<h2 id="{escape(name)}">{escape(name)}</h2>{_verdicts(mine)}')
    return "\n".join(parts)


def _measured(score: Row) -> int:
    return int(score["predictions"]) - int(score["not_measured"])


def _scores(rows: Iterable[Row]) -> str:
    """A line a theory."""
    kinds = tuple(scorecard.COLOURS)
    heads = [head("theory", "string", "asc"), head("verdicts")]
    heads += [head(_mark(kind)) for kind in kinds]
    heads += [head(words) for words in ("theorems", "extrapolations", "forecast")]
    body = []
    for row in rows:
        name = escape(row["theory"])
        cells = [f'<td><a href="#{name}">{name}</a></td>']
        cells.append(cell(_share(row), row["predictions"]))
        cells += [cell(row[kind], row[kind]) for kind in kinds]
        for part, value in SCORES.items():
            ends = interval(row[f"{part}_low"], row[f"{part}_high"])
            inner = number(row[value]) + ends
            if part == "forecast":
                inner += _scope(row)
            cells.append(cell(inner if row[value] else "", row[value]))
        body.append(cells)
    return table(heads, body)


def _scope(row: Row) -> str:
    """The experiment that was forecast, and how much of its grid if not all."""
    share = row["forecast_coverage"]
    part = "" if share in ("", "1") else f"<small>{number(share)} of its grid</small>"
    return f"<small>{escape(row['forecast_of'])}</small>{part}"


def _mark(verdict: str) -> str:
    """A verdict's word, with its colour."""
    colour, word = scorecard.COLOURS[verdict], verdict.replace("_", " ")
    return f'<span class="verdict" style="--c: {colour}">{word}</span>'


def _share(row: Row) -> str:
    """A theory's verdicts as a bar."""
    parts = (
        f'<i style="--c: {colour}; flex: {row[word]}"></i>'
        for word, colour in scorecard.COLOURS.items()
    )
    return f'<div class="share" aria-hidden="true">{"".join(parts)}</div>'


def _verdicts(rows: Iterable[Row]) -> str:
    """A line a prediction."""
    heads = [head(word, "string", "asc") for word in ("prediction", "verdict")]
    numbers = ("effect", "margin", "n", "p (Holm)", "detectable")
    heads += [head(word) for word in numbers]
    words = ("control", "standing", "form", "note")
    heads += [head(word, "string", "asc") for word in words]
    return table(heads, map(_verdict, rows))


def _verdict(row: Row) -> list[str]:
    name = row["prediction"].partition("/")[2]
    start = [text(name), f"<td>{_mark(row['verdict'])}</td>"]
    kinds = [text(row["standing"]), text(row["form"])]
    if row["verdict"] == "not_measured":
        return [*start, *[cell("")] * 5, text(""), *kinds, text(row["reason"], "words")]
    effect = number(row["estimate"]) + interval(row["ci_low"], row["ci_high"])
    p = f"{float(row['p_holm']):.2g}" if row["p_holm"] else ""
    detectable = row["minimum_detectable_effect"]
    note = f"best at {row['location']}" if row["location"] else row["reason"]
    return [
        *start,
        cell(effect, row["estimate"]),
        cell(number(row["margin"]), row["margin"]),
        cell(row["n_seeds"], row["n_seeds"]),
        cell(p, row["p_holm"]),
        cell(number(detectable), detectable),
        text(row["control_verdict"].replace("_", " ")),
        *kinds,
        text(note),
    ]
