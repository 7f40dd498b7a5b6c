"""What the manual has that is not typed: numbers of the CSVs, and a page a theory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from mae_bench.pages.prose import Fields, fill
from mae_bench.records import registry
from mae_bench.theories import Theory

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
REMOTE = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//"
)


def _told(fields: Fields, key: str) -> list[str]:
    """A prediction, whole."""
    row = fields.verdicts.loc[key]
    number = key.partition("/")[2]
    lines = [f"### {number} {{ #{number.lower()} }}", "", f"{row['claim']}", ""]
    facts = {
        "verdict": f"**{fields.word(key)}**",
        "standing": row["standing"],
        "place": row["place"],
        "measured": f"`{row['metric']}` in `{row['experiment']}`",
        "control": f"{row['control']} ({row['control_verdict']})",
        "refuted by": row["refuted_by"],
        "why this margin": row.get("margin_reason"),
        "reason": row["reason"],
    }
    if row["estimate"] == row["estimate"]:
        seeds = f"margin {row['margin']:g}, {row['n_seeds']:g} seeds"
        facts["effect"] = f"{fields.effect(key)}; {seeds}"
    told = {k: v for k, v in facts.items() if isinstance(v, str)}
    return [*lines, *(f"- {name}: {text}" for name, text in told.items()), ""]


def page(name: str, theory: Theory, fields: Fields) -> str:
    """A theory: what it says, what it takes for granted, and what became of it.

    Args:
        name: Its id.
        theory: The theory.
        fields: Of the published results.
    """
    lines = [
        f"# {name}",
        "",
        theory.paper,
        "",
        theory.summary,
        "",
        "## Assumptions",
        "",
    ]
    lines += [f"- {text}" for text in theory.assumptions]
    lines += ["", "## Verdicts", "", fields.claims(name), "", "## Predictions", ""]
    for number in theory.predictions:
        lines += _told(fields, f"{name}/{number}")
    if theory.unmeasured:
        lines += ["## Not measured here", ""]
        lines += [f"- {number}: {why}" for number, why in theory.unmeasured.items()]
    forecasts = [f"- of `{f.experiment.id}`: {f.reason}" for f in theory.forecasts]
    if forecasts:
        lines += ["", "## Forecasts", "", *forecasts]
    return "\n".join(lines) + "\n"


def on_files(files: Files, config: Any) -> Files:
    """Add a page a theory, and the list of them."""
    fields = Fields(RESULTS)
    theories = registry.load_all("theories")
    lines = ["# The theories", "", "Of the published rows; a page each.", ""]
    for name, theory in theories.items():
        path = f"theories/{name}.md"
        text = page(name, theory, fields)
        files.append(File.generated(config, path, content=text))
        lines.append(f"- [{name}]({path}): {theory.paper}")
    text = "\n".join(lines) + "\n"
    files.append(File.generated(config, "theories.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill the fields of a page that was typed."""
    typed = page.file.generated_by is None
    return fill(markdown, RESULTS) if typed else markdown


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that loads anything from elsewhere."""
    if found := REMOTE.search(output):
        raise PluginError(f"{page.file.src_uri} loads {found[0]}")
    return output
