"""What every experiment costs, foretold and measured, in a table of the results.

``python -m benchmarks.costs`` writes it into ``results/README.md``: what ``mae-bench
measure --dry-run`` says where nothing is measured, and the seconds of the rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmarks.operating_characteristics import insert
from mae_bench.experiments import Experiment
from mae_bench.records import registry
from mae_bench.records.read import read_measurements
from mae_bench.records.rows import Measurements
from mae_bench.records.store import Untouched
from mae_bench.runs.costs import costs
from mae_bench.runs.estimate import TOTAL, estimate
from mae_bench.runs.known import Known
from mae_bench.runs.plan import pending, plan

BEGIN, END = "<!-- costs -->", "<!-- /costs -->"


def measured(rows: Measurements) -> pd.DataFrame:
    """Trained cells and their core-minutes, by experiment, and of each cell once."""
    seconds = {
        name: of.groupby("cell")["train_seconds"].max() for name, of in rows.items()
    }
    whole = pd.concat([*seconds.values()])
    seconds[TOTAL] = whole.groupby(level=0).max()
    found = {name: (int((s > 0).sum()), s.sum() / 60) for name, s in seconds.items()}
    return pd.DataFrame.from_dict(found, "index", columns=["trained", "minutes"])


def table(
    experiments: Mapping[str, Experiment], rows: Measurements, tier: str = "quick"
) -> str:
    """A line an experiment, in Markdown."""
    nowhere = Untouched(Path("nowhere"))
    wanted = plan(experiments, tier=tier, seeds=None, store=nowhere)
    due = pending(wanted, nowhere, Known(), "missing")
    foretold = estimate(wanted, due, nowhere, costs(rows)).set_index("experiment")
    lines = [
        "| experiment | cells | core-minutes | cost unknown | trained | core-minutes |",
        "|---|---|---|---|---|---|",
    ]
    both = foretold.join(measured(rows)).fillna({"trained": 0, "minutes": 0.0})
    for name, at in both.iterrows():
        lines.append(
            f"| {name} | {at['cells']:.0f} | {at['core_minutes']:.1f} | "
            f"{at['cost_unknown']:.0f} | {at['trained']:.0f} | {at['minutes']:.1f} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    results = parser.parse_args(arguments).results
    rows = read_measurements(results / "measurements")
    text = table(registry.load_all("experiments"), rows)
    insert(text, results / "README.md", BEGIN, END)


if __name__ == "__main__":
    main()
