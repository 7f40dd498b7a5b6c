"""What the command line takes: each option once, with its help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer

from mae_bench.commands.words import one_of, seconds_of, seeds_of, spoken
from mae_bench.records import registry
from mae_bench.records.folders import OWN
from mae_bench.records.schema import Track

R = TypeVar("R")


class TierName(StrEnum):
    """The tiers, for the command line."""

    smoke = "smoke"
    quick = "quick"
    full = "full"
    paper = "paper"


class Rerun(StrEnum):
    """Which cells are run again."""

    always = "always"
    failed = "failed"
    missing = "missing"
    never = "never"


class Until(StrEnum):
    """When a run that chooses its cells itself is done."""

    decided = "decided"


def _names(room: str) -> Callable[[str], list[str]]:
    """What completes the name of a part."""
    return lambda incomplete: [n for n in registry.names(room) if incomplete in n]


Told = Annotated[Track, typer.Option(help="What it was told: ranked among its like.")]
Tier = Annotated[TierName, typer.Option(help="How much work a cell is.")]
Seeds = Annotated[
    range | None,
    typer.Option(
        parser=spoken(seeds_of),
        metavar="N|FIRST:END",
        help="Repetitions, the first N or from FIRST to before END; the tier's own by "
        "default.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=0, help="Worker processes; one a core or GPU by default; 0: none."
    ),
]
Device = Annotated[
    str,
    typer.Option(help="auto, cpu, cuda, cuda:N, or cuda:N,M: each cell over several."),
]
Experiments = Annotated[
    list[str] | None,
    typer.Option(
        "--experiment",
        help="Only this one; may be repeated.",
        autocompletion=_names("experiments"),
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        help="Only this one; may be repeated.",
        autocompletion=_names("methods"),
    ),
]
Datasets = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset",
        help="Only this one; may be repeated. Experiments that are named take one that "
        "they do not list in place of their own.",
        autocompletion=_names("datasets"),
    ),
]
OwnSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Of methods and datasets, in all cells; may be repeated. The rows go to a "
        "folder of their own.",
    ),
]
Ensembles = Annotated[
    bool | None,
    typer.Option(
        "--ensembles/--no-ensembles",
        help="Train like cells at once; by default on GPUs alone.",
    ),
]
StorePath = Annotated[Path, typer.Option("--store", help="Folder of trained cells.")]
Results = Annotated[
    Path | None,
    typer.Option("--results", help="Folder of CSVs; my_results/TIER by default."),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--results",
        help="Folder of CSVs; by default my_results/TIER, or, where nothing is "
        "measured there, the published results.",
    ),
]
Again = Annotated[Rerun, typer.Option("--rerun", help="Which cells are run again.")]
Roundings = Annotated[
    int,
    typer.Option(
        min=1,
        help="Trainings of a cell that differ in the last place of their first "
        "weights, as on other processors; a seed counts once.",
    ),
]
Goal = Annotated[
    Until | None,
    typer.Option(
        "--until",
        help="Choose cells and seeds by what is open, and stop when all is decided.",
    ),
]
MaxSeeds = Annotated[
    int, typer.Option(min=4, help="With --until: seeds of a prediction at most.")
]
Budget = Annotated[
    float | None,
    typer.Option(
        parser=spoken(seconds_of),
        metavar="TIME",
        help="Stop after so long, e.g. 30m or 1h30m, with everything written.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say what is there, to run, and its cost; begin nothing."
    ),
]
Fixed = Annotated[
    bool,
    typer.Option(
        "--fixed",
        help="Judge by Student's test, each prediction alone: right only if the number "
        "of seeds was chosen before any was seen.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@dataclass(frozen=True)
class Measuring:
    """What is measured, how, and where it goes."""

    tier: Tier = TierName.quick
    seeds: Seeds = None
    jobs: Jobs = None
    device: Device = "auto"
    experiments: Experiments = None
    methods: Methods = None
    datasets: Datasets = None
    settings: OwnSettings = None
    store: StorePath = Path(".store")
    results: Results = None
    rerun: Again = Rerun.missing
    ensembles: Ensembles = None
    roundings: Roundings = 1
    until: Goal = None
    max_seeds: MaxSeeds = 20
    budget: Budget = None
    dry_run: DryRun = False


@dataclass(frozen=True)
class Evaluating:
    """What an encoder from elsewhere is shown, and where its rows go."""

    datasets: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            help="Only this one; may be repeated.",
            autocompletion=_names("datasets"),
        ),
    ] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of a dataset, NAME=VALUE; may be repeated."),
    ] = None
    name: Annotated[
        str | None, typer.Option(help="In the leaderboard; from SPEC by default.")
    ] = None
    track: Told = "pixels"
    tier: Tier = TierName.quick
    seeds: Seeds = None
    image_size: Annotated[
        int | None, typer.Option(min=1, help="Side of the images that it is shown.")
    ] = None
    num_heads: Annotated[
        int | None, typer.Option(min=1, help="Attention heads of a checkpoint.")
    ] = None
    results: Folder = None
    output: Annotated[Path, typer.Option(help="Folder to write.")] = OWN / "evaluated"
    device: Device = "cpu"


def _fitted(hint: Any, word: Any) -> Any:
    """What a notebook says, as the command line would have it: a path, a list, seeds.

    >>> _fitted(list[str] | None, "mae"), _fitted(Path | None, "a").as_posix()
    (['mae'], 'a')
    >>> _fitted(range | None, 2), _fitted(range | None, "5:9")
    (range(0, 2), range(5, 9))
    >>> _fitted(float | None, "2m")
    120.0
    """
    if range in get_args(hint) and isinstance(word, int | str):
        return seeds_of(str(word))
    if float in get_args(hint) and isinstance(word, str):
        return seconds_of(word)
    if not isinstance(word, str):
        return word
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return one_of(hint, word)
    if list[str] in get_args(hint):
        return [word]
    return Path(word) if Path in (hint, *get_args(hint)) else word


def spread(
    kind: type[Any], *, spoken: bool = True
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Declare options once: a function of a dataclass takes its fields as keywords.

    Args:
        kind: The dataclass, which is the function's first argument; those after it
            stay.
        spoken: Whether it is a command, whose options have their help with them.
    """

    def decorate(function: Callable[..., R]) -> Callable[..., R]:
        first, *rest = signature(function).parameters.values()
        plain = get_type_hints(kind)
        hints = get_type_hints(kind, include_extras=spoken)
        hints |= (
            get_type_hints(function, include_extras=True)
            if spoken
            else function.__annotations__
        )
        del hints[first.name]
        options = [
            Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default)
            for f in fields(kind)
        ]
        given = [p for p in rest if p.default is p.empty]
        flags = [p.replace(kind=p.KEYWORD_ONLY) for p in rest if p not in given]

        @wraps(function)
        def spreading(*args: Any, **words: Any) -> R:
            mine = {
                name: _fitted(hint, words.pop(name))
                for name, hint in plain.items()
                if name in words
            }
            return function(kind(**mine), *args, **words)

        spreading.__annotations__ = hints
        spreading.__signature__ = Signature(  # type: ignore[attr-defined]
            [p.replace(annotation=hints[p.name]) for p in [*given, *options, *flags]],
            return_annotation=hints["return"],
        )
        return spreading

    return decorate
