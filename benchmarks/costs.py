"""What every experiment costs, foretold and measured, in a table of the results.

``python -m benchmarks.costs`` writes ``results/costs.csv``: what ``mae-bench measure
--dry-run`` says where nothing is measured, and the seconds of the rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mae_bench.experiments import Experiment
from mae_bench.records import registry
from mae_bench.records.read import read_measurements
from mae_bench.records.rows import Measurements, write_table
from mae_bench.records.store import Untouched
from mae_bench.runs.costs import costs
from mae_bench.runs.estimate import TOTAL, estimate
from mae_bench.runs.known import Known
from mae_bench.runs.plan import pending, plan


def measured(rows: Measurements) -> pd.DataFrame:
    """Trained cells and their core-minutes, by experiment, and of each cell once."""
    seconds = {
        name: of.groupby("cell")["train_seconds"].max() for name, of in rows.items()
    }
    whole = pd.concat([*seconds.values()])
    seconds[TOTAL] = whole.groupby(level=0).max()
    found = {name: (int((s > 0).sum()), s.sum() / 60) for name, s in seconds.items()}
    return pd.DataFrame.from_dict(
        found, "index", columns=["trained", "trained_minutes"]
    )


def table(
    experiments: Mapping[str, Experiment], rows: Measurements, tier: str = "quick"
) -> pd.DataFrame:
    """A row an experiment, and one of each cell once."""
    nowhere = Untouched(Path("nowhere"))
    wanted = plan(experiments, tier=tier, seeds=None, store=nowhere)
    due = pending(wanted, nowhere, Known(), "missing")
    foretold = estimate(wanted, due, nowhere, costs(rows)).set_index("experiment")
    whole = foretold.join(measured(rows)).fillna({"trained": 0, "trained_minutes": 0.0})
    columns = ["cells", "core_minutes", "cost_unknown", "trained", "trained_minutes"]
    counts = dict.fromkeys(("cells", "cost_unknown", "trained"), int)
    return whole[columns].astype(counts).round(1).reset_index()


def main(arguments: list[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    results = parser.parse_args(arguments).results
    rows = read_measurements(results / "measurements")
    # What reproduces published numbers is of another tier, and was never run.
    known = registry.load_all("experiments").items()
    ours = {name: e for name, e in known if not e.published}
    write_table(table(ours, rows), results / "costs.csv")


if __name__ == "__main__":
    main()
