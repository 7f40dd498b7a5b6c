"""One prediction, whole: what it says, how it is measured, and what the rows say.

Which predictions there are is read from the theories' files and from verdicts, so that
a wrong name is answered before anything is imported.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mae_bench.records import registry
from mae_bench.records.faults import HOUSE
from mae_bench.records.folders import PUBLISHED_TIER, published, shown
from mae_bench.records.ruling import Verdict
from mae_bench.records.schema import UsageError

if TYPE_CHECKING:
    from mae_bench.theories import Prediction, Theory

ROOM = "theories"
CLAIMS = "mae_bench.theories.claims."


@dataclass(frozen=True)
class _Written:
    """What a theory's files say of its numbers.

    Args:
        keys: Of every dictionary, numbers and others.
        patterns: Of names that are made, such as ``f"D1{suffix}"``.
    """

    keys: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    def may_have(self, number: str) -> bool:
        """Whether it may be one of its predictions; if not, it is none."""
        made = any(pattern.fullmatch(number) for pattern in self.patterns)
        return made or number in self.keys


@cache
def _written(theory: str) -> _Written | None:
    """None of a theory that lives elsewhere, or cannot be read."""
    keys: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    paths = [HOUSE / ROOM / f"{theory}.py"]
    for path in paths:
        try:
            nodes = list(ast.walk(ast.parse(path.read_bytes())))
        except (OSError, SyntaxError, ValueError):
            return None
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and f"{node.module}".startswith(CLAIMS):
                name = f"{node.module}".removeprefix(CLAIMS)
                paths.append(HOUSE / ROOM / "claims" / f"{name}.py")
            elif isinstance(node, ast.Dict):
                keys |= {str(k.value) for k in node.keys if isinstance(k, ast.Constant)}
            elif isinstance(node, ast.JoinedStr):
                patterns.append(_pattern(node))
    return _Written(frozenset(keys), tuple(patterns))


def _pattern(made: ast.JoinedStr) -> re.Pattern[str]:
    parts = [
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
        for part in made.values
    ]
    return re.compile("".join(parts))


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a file of verdicts; none without one.

    Raises:
        UsageError: It is no table of verdicts.
    """
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, restval="")
            if not {f.name for f in fields(Verdict)} <= {*(rows.fieldnames or ())}:
                raise UsageError(f"{path} lacks columns; run mae-bench judge")
            yield from rows
    except (OSError, ValueError, csv.Error) as error:
        if isinstance(error, UsageError):
            raise
        again = "run mae-bench judge"
        raise UsageError(f"cannot read {path}: {error}; {again}") from error


def ids(folder: Path | None = None) -> list[str]:
    """Predictions of which it is known without an import that there are some.

    Args:
        folder: Whose verdicts name them as well; by default the published.
    """
    rows = rows_of((folder or published()) / "verdicts.csv")
    judged = {row.get("prediction") or "" for row in rows}
    found = {key for key in judged if "/" in key}
    for theory in registry.names(ROOM):
        keys = getattr(_written(theory), "keys", ())
        found |= {f"{theory}/{k}" for k in keys if re.match(r"[A-Z][\w-]*\d", k)}
    return sorted(found)


def like(word: str) -> list[str]:
    """Parts and predictions whose name begins so, for completion."""
    parts = [name for room in registry.ROOMS for name in registry.names(room)]
    return [name for name in (*parts, *ids()) if name.startswith(word)]


def find(name: str) -> list[tuple[str, str]]:
    """Theory and number of every prediction that a name says; of a number alone many.

    Args:
        name: ``THEORY/NUMBER``, or the number.
    """
    theory, _, number = name.removeprefix(f"{ROOM}/").rpartition("/")
    found = []
    for candidate in registry.names(ROOM):
        if theory not in ("", candidate):
            continue
        written = _written(candidate)
        if written is not None and not written.may_have(number):
            continue
        loaded: Theory = registry.load(ROOM, candidate)
        if number in (*loaded.predictions, *loaded.unmeasured):
            found.append((candidate, number))
    return found


def facts(
    name: str, results: Path | None = None, tier: str = PUBLISHED_TIER
) -> dict[str, Any] | None:
    """All of one prediction, in words; None if there is none of that name.

    Args:
        name: See ``find``.
        results: Folder of the verdicts; by default one's own, or else the published.
        tier: Says which folder, if none is named.

    Raises:
        UsageError: Several theories have that number.
    """
    found = find(name)
    if not found:
        return None
    if len(found) > 1:
        said = ", ".join("/".join(each) for each in found)
        raise UsageError(f"{len(found)} theories have a {name}: {said}; say which")
    theory, number = found[0]
    key, folder = f"{theory}/{number}", shown(results, tier)
    whole: Theory = registry.load(ROOM, theory)
    head = {"room": ROOM, "id": key}
    if number in whole.unmeasured:
        text = f"not measured here: {whole.unmeasured[number]}"
        return {**head, "text": text, "paper": whole.paper}
    prediction = whole.predictions[number]
    rows = {row.get("prediction"): row for row in rows_of(folder / "verdicts.csv")}
    experiment = prediction.experiment.id
    figure = folder / "figures" / f"{experiment}.png"
    again = f"mae-bench run --experiment {experiment}"
    return {
        **head,
        "text": prediction.claim,
        **_says(whole, prediction),
        "verdict": _verdict(rows.get(key), prediction, folder),
        **({"figure": str(figure)} if figure.exists() else {}),
        "again": again if tier == PUBLISHED_TIER else f"{again} --tier {tier}",
    }


def _says(theory: Theory, prediction: Prediction) -> dict[str, Any]:
    """What the theory says of it."""
    from mae_bench.verdicts.wording import measured, where, wording

    words = wording(prediction)
    planted = f", planted: rows are {prediction.planted}" * bool(prediction.planted)
    ceiling, best = prediction.ceiling, ""
    if isinstance(ceiling, int | float):
        best = f"{ceiling:g}"
    elif ceiling is not None:
        best = where(prediction, ceiling)
    optional = {
        "ceiling": best,
        "converged": "only of cells that have converged" * prediction.converged,
    }
    return {
        "paper": theory.paper,
        "place": words["place"],
        "standing": f"{prediction.standing}{planted}, version {prediction.version}",
        "assumptions": list(theory.assumptions),
        "measured": {
            "experiment": words["experiment"],
            "asks": prediction.experiment.question,
            "metric": words["metric"],
            "unit": words["unit"],
            "rows": where(prediction),
            "claimed": measured(prediction),
            "margin": f"{prediction.form.margin:g}",
            **({"margin_reason": why} if (why := words["margin_reason"]) else {}),
            **{name: value for name, value in optional.items() if value},
        },
        "control": words["control"],
        "refuted_by": words["refuted_by"],
    }


def _verdict(
    row: dict[str, str] | None, prediction: Prediction, folder: Path
) -> dict[str, str]:
    """What a row of verdicts says, in words."""
    path = folder / "verdicts.csv"
    if row is None:
        return {"word": f"not judged in {path}"}
    word = " ".join(filter(None, (row["verdict"], row["kind"])))
    said = {"word": f"{word}, by {row['phase'] or 'no'} seeds"}
    if row["estimate"]:
        said["estimate"] = (
            f"{row['estimate']} ({row['ci_low']} to {row['ci_high']}), "
            f"margin {row['margin']}"
        )
    if row["e_value"]:
        said["e_value"] = f"{row['e_value']}; decided at {row['asked']}"
    if row["n_seeds"] != "0":
        said["n"] = f"{row['n_seeds']} seeds; as claimed on their own: {row['above']}"
    more = {"more_seeds": "more_seeds", "control": "control_verdict"}
    more |= {name: name for name in ("conditions", "location", "failed", "reason")}
    said |= {name: row[column] for name, column in more.items() if row[column]}
    if row["version"] not in ("0", str(prediction.version)):
        said["old"] = f"of version {row['version']}; run mae-bench judge"
    return {**said, "from": str(path)}
