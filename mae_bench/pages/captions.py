"""What a figure shows, in words: its caption, and what stands in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mae_bench.pages.limits import LIMITS
from mae_bench.records import registry

TOLD: Mapping[str, str] = MappingProxyType(
    {
        "leaderboard": "What a probe of each method's frozen features tells, a panel "
        "a world, a line a method: a dot with its 95 % interval at equal steps, a "
        "diamond at equal cost, small dots on the way; lines are the references.",
        "verdicts": "A line a theory, a tile a prediction, its verdict as a sign and a "
        "colour; theorems, and what is derived from one, are framed.",
        "effects": "Every measured effect with its 95 % interval in units of its "
        "margin; to the right of 1, or inside the grey band, is what is claimed.",
        "conflicts": "Variables of which theories say different things: what each "
        "says, and the measured effect in units of its margin, with its verdict.",
        "forecasts": "Kendall's tau of each theory's forecast against what was "
        "trained, a panel a world, with 95 % intervals; shaded is what random "
        "orders reach.",
        "learning_rates": "What each method's learning rate was chosen by: its loss, "
        "or the rank of its features, against the rate; the choice is filled.",
        "learning_curves": "The label probe against the share of the training steps, a "
        "panel a method, a line a world, with 95 % intervals; dashed: untrained.",
        "cost": "Seconds of training of each method, as many steps for all, a panel a "
        "world, with 95 % intervals over seeds.",
        "located_latents": "How many latents a mask makes shared, and at which level "
        "they are, against the mask ratio, a line a mask unit: exact curves through "
        "points of masks drawn at random.",
        "mask_graph": "Tail sums of the spectrum of the mask graph, largest at ratio "
        "one half, and the labelling error, which rises with the mask ratio.",
        "two_sample_floor": "Error of a masked pixel after training against the least "
        "that is possible, a point a mask; the dashed line is where both are equal.",
    }
)


def caption(name: str) -> str:
    """What the figure of that name shows.

    Args:
        name: Stem of its file; an experiment's, a table's or an oracle's.
    """
    whole = name.rstrip("0123456789").rstrip("_")
    if whole in TOLD:
        part = name[len(whole) :].strip("_")
        return TOLD[whole] + f" Part {part}." * bool(part)
    if name in LIMITS:
        return (
            f"{LIMITS[name].title}, against the mask ratio: points with 95 % intervals "
            "are trained, dashed curves are exact."
        )
    if name not in registry.names("experiments"):
        return f"Figure: {name.replace('_', ' ')}."
    experiment = registry.load("experiments", name)
    measures = [f"{m.id} {t}".strip().replace("_", " ") for m, t in experiment.drawn]
    factors = " and ".join(experiment.factors).replace("_", " ")
    return (
        f"{experiment.question} {', '.join(dict.fromkeys(measures))} against "
        f"{factors}, a row a world, a colour a method, with 95 % intervals over seeds."
    )


def figures_of(experiment: str, drawn: Sequence[str]) -> list[str]:
    """Names of the figures that show an experiment's rows.

    Args:
        experiment: Its id.
        drawn: Names of all that there are.
    """
    limits = [name for name, limit in LIMITS.items() if limit.experiment == experiment]
    return [name for name in (experiment, *limits) if experiment and name in drawn]
