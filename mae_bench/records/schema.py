"""The records that travel between the verbs; CSV columns are their fields, in order."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Literal, get_args


class UsageError(ValueError):
    """What was asked for cannot be done; the message is one line with the way out."""


# Lightning's words for the precision of a training: on a CPU, and on a GPU.
Precision = Literal["32-true", "bf16-mixed"]
FULL_PRECISION: Precision = "32-true"
MIXED_PRECISION: Precision = "bf16-mixed"
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

Setting = str | int | float | bool | None
Settings = Mapping[str, Setting]
# Settings of worlds, and of methods, that came after cells had been trained, and the
# value at which all is as before: there the cells keep their names.
LATER: Settings = MappingProxyType({"train_images": 0})
LATER_OF_METHODS: Settings = MappingProxyType({"accumulate": 1, "crops": 0.0})
# How much there is to learn from changes neither the world nor what probes are shown.
OF_TRAINING = frozenset({"train_images"})

Status = Literal[
    "ok",  # measured
    "diverged",  # the loss stopped being a number
    "collapsed",  # every image has the same features
    "out_of_memory",
    "timeout",  # outlived its tier's time limit
    "skipped",  # the metric does not apply to this method or dataset
    "error",  # raised, or its process died
    "missing",  # never run
]
STATUSES: tuple[str, ...] = get_args(Status)
# What a method is told while it learns; ranks are among those that are told the same.
Track = Literal[
    "pixels",  # images, or masked or noisy ones
    "augmentations",  # and which changes of an image change nothing that matters
    "causes",  # and other images that the world drew from the same causes
    "labels",  # and the answer
    "reference",  # nothing is learned, or all is known: not ranked
]
TRACKS: tuple[Track, ...] = get_args(Track)
# A value beyond it has no finite square, and no mean over seeds.
LARGEST = 1e150
# Another run would end so again; the others may end better.
FINISHED = ("ok", "diverged", "collapsed", "skipped")
_OF_THE_MOMENT = re.compile(
    r"ran over|stood still|its process was killed|cannot write|No space left"
)


def of_the_moment(reason: str) -> bool:
    """Whether a failure lies not in the cell: time or disk lacked, or it was killed.

    >>> of_the_moment("timeout: ran over 60 s"), of_the_moment("error: no such axis")
    (True, False)
    """
    return bool(_OF_THE_MOMENT.search(reason))


@dataclass(frozen=True)
class Tier:
    """How much work a cell is: same code, same schema, another budget.

    Args:
        name: Id, e.g. ``quick``.
        seeds: Repetitions of every cell.
        steps: Optimiser steps of a training method.
        batch_size: Images a step.
        n_train: Images that a probe is fitted on.
        n_val: Images that choose a probe's regularisation.
        n_test: Images that a metric is reported on.
        time_limit: Seconds after which a cell is stopped.
        settings: Sizes of encoder and decoder, and the learning rate.
    """

    name: str
    seeds: int
    steps: int
    batch_size: int
    n_train: int
    n_val: int
    n_test: int
    time_limit: float
    settings: Settings = field(default_factory=dict)

    def budget(self) -> dict[str, Setting]:
        """The settings that a method takes from its tier."""
        return {"steps": self.steps, "batch_size": self.batch_size, **self.settings}


_SMALL = MappingProxyType(
    {
        "embed_dim": 32,
        "depth": 2,
        "num_heads": 2,
        "decoder_embed_dim": 32,
        "decoder_depth": 1,
        "decoder_num_heads": 2,
        # Long warm-up: of what was tried, this ends MAE's plateau on gaussian_tree
        # soonest, by its own training loss (no probe was looked at).
        "lr": 0.01,
        "warmup": 0.5,
    }
)
_TINY = MappingProxyType(
    {
        "embed_dim": 192,
        "depth": 12,
        "num_heads": 3,
        "decoder_embed_dim": 192,
        "decoder_depth": 4,
        "decoder_num_heads": 3,
        "lr": 1e-3,
        "warmup": 0.05,
    }
)
TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        tier.name: tier
        for tier in (
            Tier("smoke", 2, 12, 32, 160, 96, 128, 60.0, _SMALL),
            Tier("quick", 5, 1000, 64, 2000, 1000, 2000, 180.0, _SMALL),
            Tier("full", 10, 20_000, 512, 10_000, 5_000, 10_000, 3600.0, _TINY),
            # Somebody else's recipe, which experiments of published numbers have.
            Tier("paper", 3, 20_000, 512, 50_000, 5_000, 10_000, 7200.0, _TINY),
        )
    }
)


def canonical(record: object) -> str:
    """JSON with sorted keys: equal settings give equal text.

    >>> canonical({"b": 0.5, "a": 1})
    '{"a":1,"b":0.5}'
    """
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def digest(*parts: object) -> str:
    """The first 16 hex digits of the SHA-256 of the parts' canonical JSON."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()[:16]


def _chosen(known: Settings, later: Settings) -> dict[str, Setting]:
    """Settings, without those that came later and are as if they had not."""
    return {k: v for k, v in known.items() if k not in later or v != later[k]}


Purpose = Literal["world", "data", "init", "noise", "eval", "rounding"]


@dataclass(frozen=True)
class Cell:
    """One training: a method on a dataset, under settings, with a seed.

    Settings are complete (defaults included), so two experiments that need the same
    cell share it, and a changed default is another cell.

    Args:
        dataset: Dataset id.
        method: Method id.
        tier: Tier id.
        seed: Repetition, from 0.
        dataset_settings: Every keyword of the dataset.
        method_settings: Every keyword of the method.
        versions: Version of each part that the training uses.
        precision: Of the arithmetic, in Lightning's words.
        rounding: Which rounding of the initial weights: 0 as they are drawn, others
            moved by a unit in the last place, as another processor would.
    """

    dataset: str
    method: str
    tier: str
    seed: int
    dataset_settings: Settings
    method_settings: Settings
    versions: Mapping[str, int]
    precision: Precision = FULL_PRECISION
    rounding: int = 0

    @cached_property
    def key(self) -> str:
        """16 hex digits that name the cell on disk."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        # Cells that were trained before there was a choice keep their names.
        named["dataset_settings"] = _chosen(self.dataset_settings, LATER)
        named["method_settings"] = _chosen(self.method_settings, LATER_OF_METHODS)
        if self.precision == FULL_PRECISION:
            del named["precision"]
        if not self.rounding:
            del named["rounding"]
        return digest(named)

    def stream(self, purpose: Purpose) -> int:
        """The seed of one stream of randomness, from the axes that it may depend on.

        No stream depends on the method, so that comparisons between methods are
        paired: the world, the images that are seen, the initial weights, the masks
        and the probes' images are the same. Nor does one depend on how many training
        images there are.
        """
        axes: tuple[object, ...] = (purpose, self.seed)
        if purpose == "rounding":
            axes += (self.rounding,)
        if purpose in ("world", "data", "eval"):
            known = self.dataset_settings
            axes += (
                self.dataset,
                {k: v for k, v in known.items() if k not in OF_TRAINING},
            )
        return int(digest(*axes)[:15], 16)


@dataclass(frozen=True)
class Measurement:
    """One number of one cell in one experiment.

    In a CSV the ``factors`` stand as columns of their own, in the experiment's order.

    Args:
        experiment: Experiment id.
        dataset: Dataset id.
        method: Method id.
        tier: Tier id.
        precision: Of the cell's training, e.g. ``32-true``.
        factors: What the experiment varies, e.g. ``mask_ratio``.
        seed: Repetition, from 0.
        rounding: Of the initial weights; see ``Cell``. A seed counts once.
        metric: Metric id; empty where the whole cell failed.
        metric_version: Moves when the metric's numbers move.
        view: What the encoder saw: ``unmasked`` or ``masked`` images.
        token: Read-out of the encoder: ``mean``, ``cls``, ``code``; or empty.
        target: Latent level, class or variant of the metric; or empty.
        value: The number; empty unless ``status`` is ``ok``.
        n_eval: Images it was computed on; 0 of what a training left behind.
        status: See ``Status``.
        reason: Why there is no value.
        train_seconds: Seconds of training (0 for controls).
        cell: Key of the cell.
        commit: Commit of the code that trained the cell.
        dirty: Whether that code had uncommitted changes.
        versions: Libraries it ran with, the processor that they found, and the size of
            the ensemble that it was trained in, if any.
        device: Kind of processor it ran on; the name of a GPU.
    """

    experiment: str
    dataset: str
    method: str
    tier: str
    precision: str
    factors: Settings
    seed: int
    rounding: int
    metric: str
    metric_version: int
    view: str
    token: str
    target: str
    value: float | None
    n_eval: int
    status: Status
    reason: str
    train_seconds: float
    cell: str
    commit: str
    dirty: bool
    versions: str
    device: str
