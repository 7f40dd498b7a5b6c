"""Loggers, callbacks and strategies by name or import path, and what is none."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from mae_bench.records.schema import UsageError
from mae_bench.training import attached
from mae_bench.training.attached import NOBODY, NOTHING, Attached
from mae_bench.training.train import train
from tests.training.test_train import cell_of

OWN = """
import lightning as L
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger

seen = []

class Counting(L.Callback):
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        seen.append(len(outputs["loss"]))

class Stopping(L.Callback):
    def on_train_batch_end(self, trainer, *_):
        trainer.should_stop = True

class Wanting(L.Callback):
    def __init__(self, what):
        pass

class Listing(Logger):
    said = []
    name, version = "listing", 0
    def log_metrics(self, metrics, step=None):
        self.said.append((step, metrics["train_loss"]))
    def log_hyperparams(self, params):
        self.said.append(params["method"])

class Saving(ModelCheckpoint):
    def __init__(self):
        super().__init__("kept", save_last=True)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the user's, in the current folder."""
    (tmp_path / "my_lookers.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_lookers", raising=False)
    return tmp_path


def test_a_csv_logger_is_told_every_loss_and_moves_no_number(own: Path) -> None:
    cell = cell_of("mae", steps=13)
    alone, weights = train(cell)
    looked_at, again = train(cell, attached=Attached(("csv",)))
    assert again == weights
    assert looked_at.curve == alone.curve
    folder = own / "lightning_logs" / "gaussian_tree-mae-seed0" / cell.key
    table = pd.read_csv(folder / "metrics.csv")
    assert list(table["step"]) == list(range(13))
    assert list(table["train_loss"]) == pytest.approx(alone.curve)
    assert f"method.lr: {cell.method_settings['lr']}" in (
        folder / "hparams.yaml"
    ).read_text().replace("'", "")


@pytest.mark.usefixtures("own")
def test_classes_of_ones_own_are_found_from_the_current_folder() -> None:
    words = Attached(("my_lookers:Listing",), ("my_lookers:Counting",))
    words.check()
    train(cell_of("mae", steps=13), attached=words)
    import my_lookers  # type: ignore[import-not-found]  # written just now

    assert my_lookers.seen == [10, 3]
    name, *losses = my_lookers.Listing.said
    assert name == "mae"
    assert [step for step, _ in losses] == list(range(13))


def test_a_callback_that_saves_may_and_one_of_lightnings_by_name(own: Path) -> None:
    train(cell_of("mae"), attached=Attached((), ("my_lookers:Saving", "Timer")))
    assert (own / "kept" / "last.ckpt").exists()


@pytest.mark.usefixtures("own")
def test_a_callback_that_ends_a_training_makes_no_cell_of_it() -> None:
    cell, words = cell_of("mae", steps=23), Attached((), ("my_lookers:Stopping",))
    with pytest.raises(RuntimeError, match="a callback stopped it after 10 of 23"):
        train(cell, attached=words)


def test_nothing_is_attached_by_default() -> None:
    assert NOTHING.beside(cell_of("mae")) == NOBODY.__class__([], [])
    assert NOBODY.words()["logger"] is False
    NOTHING.check()


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (Attached(("cvs",)), "--logger cvs: did you mean csv? Or say module:Class"),
        (Attached(("nowhere:Logger",)), "--logger nowhere:Logger cannot be had: Mod"),
        (Attached(("my_lookers:Nobody",)), "--logger my_lookers:Nobody cannot be had"),
        (Attached(("my_lookers:Counting",)), "--logger my_lookers:Counting is no Log"),
        (Attached((), ("Timr",)), "--callback Timr: did you mean Timer"),
        (Attached((), ("my_lookers:seen",)), "--callback my_lookers:seen is no Callb"),
        (Attached((), ("my_lookers:Wanting",)), "--callback my_lookers:Wanting wants "),
        (Attached((), ("EarlyStopping",)), "--callback EarlyStopping wants monitor; "),
        (Attached(strategy="fsdp"), "--strategy fsdp: one of auto, ddp, "),
    ],
)
def test_what_cannot_be_had_is_one_line(words: Attached, line: str) -> None:
    with pytest.raises(UsageError) as error:
        words.check()
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_logger_without_its_package_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(attached, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=f"--logger {name} needs the package {name}: "):
        Attached((name,)).check()


@pytest.mark.parametrize(("name", "kind"), [*attached.LOGGERS.items()])
def test_every_logger_by_name_is_one_of_lightnings(
    name: str, kind: tuple[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from inspect import signature

    from lightning.pytorch import loggers

    monkeypatch.setattr(attached, "find_spec", lambda _: True)
    found = attached._logger(name)
    assert found is getattr(loggers, kind[0])
    assert "save_dir" in signature(found).parameters
