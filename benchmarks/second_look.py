"""Ten verdicts of nine forms, computed anew and by other means.

Nothing of ``mae_bench`` is imported. Effects come from the CSVs by a few lines of
pandas each; of the tenth form, ``nearer``, no verdict has seeds yet. The
strength of a mean is not the closed form that the judge uses but the integral that it
solves: the likelihood of t under effects ``d ~ N(0, 4)``, by quadrature over
noncentral t densities, against that under none. Prints each beside what
``results/verdicts.csv`` says, and exits with 1 if one differs.

    python benchmarks/second_look.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import integrate, optimize, stats

RESULTS = Path(__file__).parent.parent / "results"
DECISIVE = 20.0
Said = tuple[float, float, float, int, str]


@cache
def strength(n: int, t: float) -> float:
    """E-value of a t of n seeds: 20 decides."""
    if t == np.inf:
        return float((1 + 4 * n) ** ((n - 1) / 2))

    def mixed(d: float) -> float:
        there = stats.nct.pdf(t, n - 1, d * np.sqrt(n))
        return float(stats.norm.pdf(d, scale=2) * there / stats.t.pdf(t, n - 1))

    return integrate.quad(mixed, -12, 12, limit=200, points=[t / np.sqrt(n)])[0]


def above(x: np.ndarray, margin: float) -> float:
    """Strength that the mean of the seeds is above a margin."""
    error = x.std(ddof=1) / np.sqrt(len(x))
    gap = x.mean() - margin
    t = gap / error if error > 1e-12 else np.inf * np.sign(gap)
    return strength(len(x), max(float(t), 0.0))


@cache
def reach(n: int, wanted: float) -> float:
    """The t of that strength; infinite where no t has it."""
    if strength(n, np.inf) <= wanted:
        return np.inf
    return float(optimize.brentq(lambda t: strength(n, t) - wanted, 0.1, 200))


def interval(x: np.ndarray, wanted: float = DECISIVE) -> tuple[float, float, float]:
    """Mean, low, high."""
    half = reach(len(x), wanted) * x.std(ddof=1) / np.sqrt(len(x))
    return x.mean(), x.mean() - half, x.mean() + half


# What differs between trainings of a cell that differ in rounding alone.
OF_A_TRAINING = ["rounding", "cell", "value", "train_seconds", "commit", "versions"]


def rows(claim: str, query: str) -> pd.DataFrame:
    """The numbers of a claim, of the seeds of the phase that is judged, each once."""
    verdict = pd.read_csv(RESULTS / "verdicts.csv", index_col="prediction").loc[claim]
    first = pd.read_csv(RESULTS / "registered.csv").groupby("prediction")["first_seed"]
    table = pd.read_csv(RESULTS / "measurements" / f"{verdict['experiment']}.csv")
    table = table[table["metric"] == verdict["metric"]].query(query)
    confirmatory = table["seed"] >= first.last().get(claim, 0)
    phases = {"confirmatory": confirmatory, "pilot": ~confirmatory}
    table = table[phases.get(verdict["phase"], table["seed"] >= 0)]
    same = [*table.columns.difference(OF_A_TRAINING)]
    return table.groupby(same, dropna=False, as_index=False)["value"].mean()


def sides(supported: float, refuted: float) -> str:
    """What two strengths decide."""
    if supported >= DECISIVE:
        return "supported"
    return "refuted" if refuted >= DECISIVE else "undecided"


def one_sided(x: np.ndarray, margin: float) -> Said:
    """The mean is above the margin."""
    return *interval(x), len(x), sides(above(x, margin), above(-x, -margin))


def two_sided(parts: Sequence[np.ndarray], margin: float) -> Said:
    """Every mean is within the margin of 0."""
    within = min(min(above(x, -margin), above(-x, -margin)) for x in parts)
    beyond = max(max(above(x, margin), above(-x, margin)) for x in parts) / len(parts)
    far = max(map(interval, parts), key=lambda i: max(-i[1], i[2]))
    return *far, len(parts[0]), sides(within, beyond)


def every(parts: Sequence[np.ndarray], margin: float) -> Said:
    """Every mean is above the margin."""
    least = min(above(x, margin) for x in parts)
    against = max(above(-x, -margin) for x in parts) / len(parts)
    mean, low = (min(interval(x)[i] for x in parts) for i in (0, 1))
    high = min(interval(x, DECISIVE * len(parts))[2] for x in parts)
    return mean, low, high, len(parts[0]), sides(least, against)


def by_seed(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Seeds against levels."""
    return table.pivot_table("value", "seed", [*columns]).dropna()


def contrast() -> Said:
    """attention_diversity/H1-global: attention within the area is above 1/2."""
    where = (
        "method == 'mae' and target == 'decoder/global' and stop == 1 and depth == 0"
    )
    found = rows("attention_diversity/H1-global", where)
    sizes = [of["value"].to_numpy() for _, of in found.groupby("global_rows")]
    # It is claimed of every size of the area: the one that holds least decides.
    return one_sided(min(sizes, key=lambda x: above(x, 0.5)), 0.5)


def equality() -> Said:
    """conditional_independence/L1: the exact feature is as good as Bayes' rule."""
    found = rows("conditional_independence/L1", "strength == 0 and stop == 1")
    table = by_seed(found[found["overlap"].astype(bool)], "target")
    return two_sided([(table["exact"] - table["bayes"]).to_numpy()], 0.02)


def equivalence() -> Said:
    """hierarchical_latents/K-D2: a quarter masked or three, the same level."""
    found = rows("hierarchical_latents/K-D2", "target == 'size'")
    table = by_seed(found, "mask_ratio")
    return two_sided([(table[0.25] - table[0.75]).to_numpy()], 0.05)


def equality_at_points() -> Said:
    """deep_linear_dynamics/LW1: MAE's modes keep the ratio of their sizes."""
    where = "objective == 'mae' and init_scale == 1e-4 and target == 'rho_bias'"
    table = by_seed(rows("deep_linear_dynamics/LW1", where), "depth") - 1
    return two_sided([table[2].to_numpy(), table[3].to_numpy()], 0.05)


def trend() -> Said:
    """conditional_independence/L2: it falls along a line as the nuisance is shared."""
    where = "target == 'exact' and stop == 1 and overlap == True"
    table = by_seed(rows("conditional_independence/L2", where), "strength")
    places = np.arange(table.shape[1])
    lines = [-np.polyfit(places, seed, 1)[0] * places[-1] for seed in table.to_numpy()]
    return one_sided(np.array(lines), 0.05)


def bound() -> Said:
    """mask_graph_alignment/Z1: the bound is nowhere broken."""
    found = rows("mask_graph_alignment/Z1", "target == 'slack'")
    least = found[found["rules"] == "random:8"].groupby("seed")["value"].min()
    holds = "supported" if (least >= -1e-5).all() else "refuted"
    return least.min(), least.min(), least.max(), len(least), holds


def association() -> Said:
    """mask_graph_alignment/Z3: what the decoder cannot invert orders the gap."""
    found = rows("mask_graph_alignment/Z3", "stop == 1")
    taus = []
    for _, of in found.groupby("seed"):
        at = of.pivot_table("value", ["decoder_depth", "decoder_embed_dim"], "target")
        taus.append(stats.kendalltau(at["eps"], at["gap"]).statistic)
    return one_sided(np.array(taus), 0.3)


def membership() -> Said:
    """hierarchical_latents/K4: latents inside the mask are told from those outside."""
    found = rows("hierarchical_latents/K4", "method == 'mae' and stop == 1")
    parts = found["target"].str.extract(r"^(inside|outside)/1/([0-3])$")
    areas = []
    for _, of in found.assign(side=parts[0]).dropna(subset="side").groupby("seed"):
        one, other = (of.loc[of["side"] == s, "value"] for s in ("inside", "outside"))
        u = stats.mannwhitneyu(one, other).statistic
        areas.append(u / (len(one) * len(other)))
    return one_sided(np.array(areas), 0.9)


def ordering() -> Said:
    """over_parameterisation/M1: the more is masked the greater is the risk."""
    where = "image_size == 6 and spike == 0 and target == 'risk'"
    table = by_seed(rows("over_parameterisation/M1", where), "mask_ratio")
    steps = table[[0.0, 0.15, 0.3, 0.45, 0.6]].to_numpy().T
    return every([b - a for a, b in pairwise(steps)], 0.05)


def peak() -> Said:
    """over_parameterisation/M2: the risk is least at a ratio inside the range."""
    where = "image_size == 32 and spike == 20 and target == 'risk'"
    found = rows("over_parameterisation/M2", where)
    values = by_seed(found, "mask_ratio").to_numpy().T
    first, *inside, last = -values
    pairs = [(x - first, x - last) for x in inside]
    best = max(min(above(x, 0.02) for x in pair) for pair in pairs) / len(pairs)
    none = min(max(above(-x, -0.02) for x in pair) / 2 for pair in pairs)
    mean = max(min(x.mean() for x in pair) for pair in pairs)
    wide = DECISIVE * len(pairs)
    low = max(min(interval(x, wide)[1] for x in pair) for pair in pairs)
    high = max(min(interval(x, DECISIVE * 2)[2] for x in pair) for pair in pairs)
    return mean, low, high, values.shape[1], sides(best, none)


LOOKS: tuple[Callable[[], Said], ...] = (
    contrast,
    equality,
    equivalence,
    equality_at_points,
    trend,
    bound,
    association,
    membership,
    ordering,
    peak,
)


def compare(look: Callable[[], Said], verdicts: pd.DataFrame) -> str:
    """Where the two differ; empty if nowhere."""
    name = (look.__doc__ or "").partition(":")[0]
    there = verdicts.loc[name]
    mean, low, high, n, side = look()
    columns = ["estimate", "ci_low", "ci_high"]
    told = there[columns].to_numpy(float)
    # Six significant digits are written.
    close = np.allclose(told, (mean, low, high), rtol=2e-5, atol=1e-6)
    if close and n == there["n_seeds"] and side == there["alone"]:
        return ""
    here = f"{mean:g} ({low:g} to {high:g}) of {n} seeds, {side}"
    known = f"{told[0]:g} ({told[1]:g} to {told[2]:g}), {there['alone']}"
    return f"{here}; in the file {known}"


def main() -> int:
    """Print all ten; gives the exit code."""
    verdicts = pd.read_csv(RESULTS / "verdicts.csv", index_col="prediction")
    wrong = 0
    for look in LOOKS:
        apart = compare(look, verdicts)
        wrong += bool(apart)
        name = (look.__doc__ or "").partition(":")[0]
        sys.stdout.write(f"{look.__name__:18} {name:36} {apart or 'the same'}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
