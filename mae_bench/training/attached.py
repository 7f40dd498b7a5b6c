"""What a user attaches to every training: Lightning's loggers, callbacks, a strategy.

None by default. They look on: the numbers of a cell are those that it has without
them, so they are no part of its key.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mae_bench.records.faults import in_one_line
from mae_bench.records.registry import nearest
from mae_bench.records.schema import Cell, UsageError

if TYPE_CHECKING:
    from lightning import Callback
    from lightning.pytorch.loggers import Logger

# Name -> Lightning's class, and the packages of which it needs one.
LOGGERS = {
    "csv": ("CSVLogger", ()),
    "tensorboard": ("TensorBoardLogger", ("tensorboard", "tensorboardX")),
    "wandb": ("WandbLogger", ("wandb",)),
    "mlflow": ("MLFlowLogger", ("mlflow", "mlflow_skinny")),
}
# Of several processes with all weights in each: what else there is keeps them in parts.
STRATEGIES: dict[str, dict[str, Any]] = {
    "auto": {},
    "ddp": {},
    "ddp_find_unused_parameters_true": {"find_unused_parameters": True},
    "ddp_static_graph": {"static_graph": True},
}
FOLDER = "lightning_logs"


@dataclass(frozen=True)
class Beside:
    """What is attached to one training.

    Args:
        loggers: Lightning's.
        callbacks: Likewise, one that tells the loggers of the losses among them.
    """

    loggers: Sequence[Logger] = ()
    callbacks: Sequence[Callback] = ()

    def words(self) -> dict[str, Any]:
        """What a Trainer must be told for their sake."""
        kinds = importlib.import_module("lightning.pytorch.callbacks")
        has = {
            kind: any(isinstance(c, getattr(kinds, kind)) for c in self.callbacks)
            for kind in ("Checkpoint", "ProgressBar")
        }
        return {
            "logger": [*self.loggers] or False,
            "log_every_n_steps": 1,
            "enable_checkpointing": has["Checkpoint"],
            "enable_progress_bar": has["ProgressBar"],
        }


NOBODY = Beside()


@dataclass(frozen=True)
class Attached:
    """What is attached, in words, so that it travels to workers.

    Args:
        loggers: Keys of ``LOGGERS``, or ``module:Class``.
        callbacks: Classes of ``lightning.pytorch.callbacks``, or ``module:Class``;
            each is built without arguments.
        strategy: A key of ``STRATEGIES``; of cells over several processors.
    """

    loggers: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    strategy: str = "auto"

    def check(self) -> None:
        """See, before anything is begun, that all of it can be had.

        Raises:
            UsageError: The first that cannot, in a line.
        """
        if self.strategy not in STRATEGIES:
            raise UsageError(
                f"--strategy {self.strategy}: one of {', '.join(STRATEGIES)}; a cell's "
                "weights must be whole in each process"
            )
        for word in self.loggers:
            _logger(word)
        for word in self.callbacks:
            _callback(word)

    def beside(self, cell: Cell) -> Beside:
        """What is attached to the training of a cell, the loggers told its settings.

        They write to ``lightning_logs/DATASET-METHOD-seedN/KEY``, or where they will.
        """
        callbacks = [_callback(word)() for word in self.callbacks]
        if not self.loggers:
            return Beside([], callbacks)
        from mae_bench.training.watch import Teller

        return Beside(self._loggers(cell), [Teller(), *callbacks])

    def _loggers(self, cell: Cell) -> list[Logger]:
        name = f"{cell.dataset}-{cell.method}-seed{cell.seed}"
        offered = {"save_dir": FOLDER, "name": name, "run_name": name}
        offered |= {"version": cell.key}
        found = []
        for word in self.loggers:
            kind = _logger(word)
            known = inspect.signature(kind).parameters
            logger = kind(**{k: v for k, v in offered.items() if k in known})
            logger.log_hyperparams(_facts(cell))
            found.append(logger)
        return found


NOTHING = Attached()


def _facts(cell: Cell) -> dict[str, Any]:
    """A cell as a flat table."""
    rooms = {"dataset": cell.dataset_settings, "method": cell.method_settings}
    own = {k: getattr(cell, k) for k in ("dataset", "method", "tier", "seed")}
    own |= {"precision": cell.precision, "cell": cell.key}
    settings = {
        f"{room}.{name}": value
        for room, known in rooms.items()
        for name, value in known.items()
    }
    return own | settings


def _logger(word: str) -> Any:
    """The class of a logger."""
    if ":" in word:
        return _of_path("--logger", word, "Logger")
    if word not in LOGGERS:
        near = nearest(word, [*LOGGERS])
        raise UsageError(f"--logger {word}: did you mean {near}? Or say module:Class")
    kind, packages = LOGGERS[word]
    if packages and not any(map(_installed, packages)):
        raise UsageError(
            f"--logger {word} needs the package {packages[0]}: pip install "
            f"{packages[0]}"
        )
    return getattr(importlib.import_module("lightning.pytorch.loggers"), kind)


def _callback(word: str) -> Any:
    """The class of a callback."""
    if ":" in word:
        return _of_path("--callback", word, "Callback")
    home = importlib.import_module("lightning.pytorch.callbacks")
    if word not in home.__all__:
        near = nearest(word, [*home.__all__])
        raise UsageError(f"--callback {word}: did you mean {near}? Or say module:Class")
    return _buildable("--callback", word, getattr(home, word))


def _installed(package: str) -> bool:
    return find_spec(package) is not None


def _of_path(option: str, word: str, kind: str) -> Any:
    """A class by its import path, found from the current folder."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    module, _, name = word.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # the user's code may raise anything
        raise UsageError(
            f"{option} {word} cannot be had: {in_one_line(error)}"
        ) from error
    home = importlib.import_module(f"lightning.pytorch.{kind.lower()}s")
    base = getattr(home, kind)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise UsageError(f"{option} {word} is no {kind} of Lightning's")
    return _buildable(option, word, found) if kind == "Callback" else found


def _buildable(option: str, word: str, kind: Any) -> Any:
    """Refuse a class that is built of something: nothing could be said of it."""
    if lacking := [*_wanted(kind)]:
        raise UsageError(
            f"{option} {word} wants {', '.join(lacking)}; give a class of your own, "
            "module:Class, that is built without arguments"
        )
    return kind


def _wanted(kind: Any) -> Iterator[str]:
    for name, p in inspect.signature(kind).parameters.items():
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            yield name
