"""A benchmark of theories of masked autoencoders.

What a notebook needs, each imported when it is asked for: the verbs ``measure``,
``judge``, ``judge_my``, ``rank``, ``plot``, ``evaluate`` and ``load_results``, and the
rooms ``theories``, ``experiments``, ``methods``, ``datasets`` and ``metrics``, each a
mapping of ids to parts.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
VERBS = ("evaluate", "judge", "judge_my", "load_results", "measure", "plot", "rank")
ROOMS = ("datasets", "experiments", "methods", "metrics", "theories")


def __getattr__(name: str) -> Any:
    """A verb, or a room."""
    if name in VERBS:
        module = "own" if name == "judge_my" else "verbs"
        return getattr(import_module(f"mae_bench.commands.{module}"), name)
    if name in ROOMS:
        return import_module(f"mae_bench.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """All of them."""
    return sorted([*globals(), *VERBS, *ROOMS])
