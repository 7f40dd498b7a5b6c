"""CSV -> pages: the leaderboard, the theories and the figures, to be read anywhere."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path

from mae_bench.pages.page import page
from mae_bench.pages.tables import Row, leaderboard, theories
from mae_bench.records.schema import UsageError
from mae_bench.records.stats import wilson

STRICT = ("theorem", "derived")
_DOOR = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>mae_bench</title><meta http-equiv="refresh" content="0; url=overview.html">
</head><body><a href="overview.html">mae_bench</a></body></html>
"""


def _held(rows: Sequence[Row], strict: bool) -> str:
    """How many claims of a standing hold: count, share, interval."""
    mine = [
        r["verdict"]
        for r in rows
        if r["standing"] and (r["standing"] in STRICT) is strict
    ]
    if not mine:
        return "none is measured"
    held = mine.count("supported")
    share, low, high = wilson(held, len(mine))
    ends = f"{100 * low:.0f} to {100 * high:.0f} %"
    return f"{held} of {len(mine)} hold ({100 * share:.0f} %; {ends})"


def overview(
    board: Sequence[Row], verdicts: Sequence[Row], figures: Sequence[str], history: str
) -> str:
    """The entry: what holds, where each page is, the history, the figures.

    Args:
        board: ``leaderboard.csv``.
        verdicts: ``verdicts.csv``.
        figures: Files in ``figures``.
        history: HTML of the history's part.
    """
    worlds = dict.fromkeys(row["dataset"] for row in board)
    methods = dict.fromkeys(row["method"] for row in board)
    names = escape(", ".join(worlds) or "none yet")
    parts = [
        "<p>Each theory of masked autoencoders is written down as refutable "
        "predictions; methods are trained on worlds whose causes are known, and a "
        "judge says of every prediction what the data say.</p><ul>"
        f'<li><a href="leaderboard.html">Leaderboard</a>: {len(methods)} methods on '
        f"{len(worlds)} datasets ({names}).</li>"
        '<li><a href="theories.html">Theories</a>: of theorems, and what is derived '
        f"from one, {_held(verdicts, True)}; of what is said beyond, "
        f"{_held(verdicts, False)}. In brackets shares with 95 % Wilson intervals.</li>"
        f"</ul><h2>History</h2>{history}<h2>Figures</h2>"
    ]
    first = [name for name in ("verdicts", "leaderboard") if name in figures]
    rest = [name for name in figures if name not in first]
    parts += [_figure(name) for name in first]
    parts.append(f'<div class="gallery">{"".join(map(_figure, rest))}</div>')
    return "\n".join(parts)


def _figure(name: str) -> str:
    path, words = escape(f"figures/{name}.png"), escape(name.replace("_", " "))
    return (
        f'<figure><figcaption>{words}</figcaption><a href="{path}">'
        f'<img src="{path}" alt="Figure: {words}" loading="lazy"></a></figure>'
    )


def _history(asv: Path) -> str:
    """Links to the graph of every benchmark, from what asv published."""
    if not (asv / "index.json").is_file():
        return "<p>None was kept: no commit has been measured for asv.</p>"
    benchmarks = json.loads((asv / "index.json").read_text())["benchmarks"]
    found = json.loads((asv / "regressions.json").read_text())["regressions"]
    count = "no regression" if not found else f"{len(found)} regression"
    plural = "s" if len(found) > 1 else ""
    worse = {entry[0].partition("(")[0] for entry in found}
    items = "".join(
        f'<li><a href="asv/index.html#{escape(name)}">{escape(name)}</a> '
        f"<small>{escape(str(about.get('unit', '')))}"
        f"{', a regression' if name in worse else ''}</small></li>"
        for name, about in sorted(benchmarks.items())
    )
    return (
        '<p>Speed and quality over commits, drawn by asv: <a href="asv/index.html">all '
        f'graphs</a>, <a href="asv/index.html#/regressions">{count}{plural}</a>. Less '
        "is better everywhere; a step is called a regression once two more commits "
        "have it. These pages need a server: <code>python -m http.server</code> in "
        f"this folder.</p><ul>{items}</ul>"
    )


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def report(results: Path, output: Path, scripts: Sequence[str] = ()) -> list[Path]:
    """Write the pages.

    Args:
        results: Folder of the CSVs, and of ``figures``.
        output: Where to; asv's pages are linked to if they are in its ``asv``.
        scripts: jQuery and stupidtable, relative to ``output``.

    Returns:
        The pages, the entry first.

    Raises:
        UsageError: There is neither a leaderboard nor a verdict in ``results``.
    """
    board = _read(results / "leaderboard.csv")
    verdicts = _read(results / "verdicts.csv")
    if not (board or verdicts):
        raise UsageError(f"no leaderboard.csv in {results}; run mae-bench run first")
    drawn = sorted((results / "figures").glob("*.png"))
    (output / "figures").mkdir(parents=True, exist_ok=True)
    for path in drawn:
        shutil.copyfile(path, output / "figures" / path.name)
    figures = [path.stem for path in drawn]
    bodies = {
        "overview.html": (
            "What theories of masked autoencoders predict, and what the data say",
            overview(board, verdicts, figures, _history(output / "asv")),
        ),
        "leaderboard.html": ("The leaderboard", leaderboard(board)),
        "theories.html": (
            "The theories and their predictions",
            theories(_read(results / "theories.csv"), verdicts),
        ),
    }
    for name, (title, body) in bodies.items():
        links = [_link(other, other == name) for other in bodies]
        (output / name).write_text(page(title, body, links, scripts), "utf-8")
    (output / "index.html").write_text(_DOOR, "utf-8")
    return [output / name for name in bodies]


def _link(name: str, here: bool) -> str:
    current = ' aria-current="page"' if here else ""
    return f'<a href="{name}"{current}>{name.removesuffix(".html")}</a>'
