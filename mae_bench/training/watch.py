"""The steps of a training: some a call, each call's losses remembered and checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any, TypeVar

import lightning as L
import torch
from torch import Tensor

STEPS_A_CALL = 10
CHECK_EVERY = 5  # calls
POINTS = 32  # of a learning curve

Step = TypeVar("Step")


class Diverged(ArithmeticError):
    """The loss stopped being a finite number."""


def calls(
    steps: Iterable[Step], count: int, stops: Collection[int] = (), first: int = 0
) -> Iterator[Iterator[Step]]:
    """What ``count`` steps are given, as many at a time as a call takes.

    Args:
        steps: What each is given.
        count: How many there are.
        stops: Steps after which a call ends.
        first: How many were given before, in calls like these.

    >>> [list(call) for call in calls(range(12), 12, [3])]
    [[0, 1, 2], [3, 4, 5, 6, 7, 8, 9], [10, 11]]
    """
    given = _forgetful(steps)
    ends = {*range(STEPS_A_CALL, count, STEPS_A_CALL), *stops, count}
    due = sorted({first, *(end for end in ends if first < end <= count)})
    for begin, end in pairwise(due):
        yield islice(given, end - begin)


def _forgetful(steps: Iterable[Step]) -> Iterator[Step]:
    """The same; autocast, which is on for a whole call, rounds each step's weights."""
    for step in steps:
        # It would else give all steps of a call the rounded weights of the first.
        torch.clear_autocast_cache()
        yield step


class Watch(L.Callback):
    """Stops a run whose loss is not finite, and remembers the losses of all steps.

    It looks at the numbers only now and then: looking makes a GPU wait. Of an
    ensemble, whose losses have an axis of members, it stops when none is left.

    Args:
        steps: Of the run.
        passing: Number of steps -> what is to be done once so many are taken, with
            their losses.

    Attributes:
        losses: Of each call, those of its steps: [steps], of an ensemble [steps, k].
        lost: Member -> why, of those whose loss is not finite; alone, it is member 0.
    """

    def __init__(
        self, steps: int, passing: Mapping[int, Callable[[Tensor], None]] | None = None
    ) -> None:
        self.steps, self.passing = steps, passing or {}
        self.taken = 0
        self.losses: list[Tensor] = []
        self.lost: dict[int, str] = {}

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the losses; check them now and then."""
        del trainer, pl_module, batch
        self.losses.append(outputs["loss"])
        self.taken += len(outputs["loss"])
        if self.taken in self.passing:
            self.passing[self.taken](torch.cat(self.losses))
        if (batch_idx + 1) % CHECK_EVERY == 0:
            self.check()

    def state_dict(self) -> dict[str, Any]:
        """The losses so far, and who was lost."""
        return {"losses": torch.cat(self.losses), "lost": self.lost}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.losses, self.lost = [state_dict["losses"]], state_dict["lost"]
        self.taken = len(state_dict["losses"])

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Of several processes, each of which saw rows of its own, keep the mean."""
        del pl_module
        losses = trainer.strategy.reduce(torch.cat(self.losses), reduce_op="mean")
        self.losses = [losses]

    def check(self) -> list[float]:
        """Mean loss of the last tenth of the steps, of each member.

        Raises:
            Diverged: None is finite.
        """
        # No call is empty, and all are whole but the last and those that end at stops.
        kept = max(1, self.steps // 10) // STEPS_A_CALL + 2 + len(self.passing)
        losses = last_tenth(torch.cat(self.losses[-kept:]), self.steps)
        for member, loss in enumerate(losses):
            if not math.isfinite(loss):
                told = f"the loss was {loss} by step {self.taken}"
                self.lost.setdefault(member, told)
        if len(self.lost) == len(losses):
            raise Diverged(self.lost[0])
        return losses

    def curves(self) -> list[list[float]]:
        """The learning curve of each member; see ``curves``."""
        return curves(torch.cat(self.losses))


class Teller(L.Callback):
    """Tells a Trainer's loggers the loss of every step, those of a call at once.

    To read them it makes a GPU wait.
    """

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Tell those of the call."""
        del pl_module, batch, batch_idx
        losses = outputs["loss"].tolist()
        for step, loss in enumerate(losses, trainer.global_step - len(losses)):
            for logger in trainer.loggers:
                logger.log_metrics({"train_loss": loss}, step)


def last_tenth(losses: Tensor, steps: int) -> list[float]:
    """Mean loss of the last tenth of the steps, of each member.

    Args:
        losses: Of the latest steps, [steps] or [steps, k].
        steps: Of the whole run.
    """
    found: list[float] = losses[-max(1, steps // 10) :].mean(0).view(-1).tolist()
    return found


def curves(losses: Tensor) -> list[list[float]]:
    """The learning curve of each member, at ``POINTS`` or, if fewer, every step.

    Points are evenly spaced; each is the mean loss since the point before.

    Args:
        losses: Of all steps, [steps] or [steps, k].
    """
    losses = losses.cpu().double().view(len(losses), -1)
    parts = losses.tensor_split(min(POINTS, len(losses)))
    found: list[list[float]] = torch.stack([p.mean(0) for p in parts], 1).tolist()
    return found
