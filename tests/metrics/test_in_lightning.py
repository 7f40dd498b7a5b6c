"""Streams in somebody else's LightningModule, logged by name."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MetricCollection

from mae_bench.metrics.cka import CKA, cka
from mae_bench.metrics.effective_rank import RankMe, effective_rank
from mae_bench.metrics.participation_ratio import (
    ParticipationRatio,
    participation_ratio,
)
from mae_bench.metrics.uniformity import Uniformity, uniformity

# Whose last batch of 25 has three images, too few for CKA.
IMAGES = torch.randn(103, 6, generator=torch.Generator().manual_seed(0)) + 0.4


class Encoder(L.LightningModule):
    """It learns to shrink a feature, so that epochs differ."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 4)
        self.rankme, self.batch_rank = RankMe(), RankMe(centred=True)
        self.many = MetricCollection(
            {"ratio": ParticipationRatio(), "uniformity": Uniformity()}, prefix="val/"
        )
        self.cka = CKA()
        self.seen: list[Tensor] = []
        self.trained: list[Tensor] = []
        self.found: list[dict[str, Tensor]] = []

    def training_step(self, batch: list[Tensor]) -> Tensor:
        h = self.layer(batch[0])
        self.trained.append(h.detach())
        self.batch_rank(h)
        self.log("train/rank", self.batch_rank, on_step=True, on_epoch=True)
        return h[:, 0].square().mean()

    def validation_step(self, batch: list[Tensor]) -> None:
        h = self.layer(batch[0])
        self.seen.append(h)
        self.rankme.update(h)
        self.log("val/rankme", self.rankme)
        self.cka(h, batch[0])
        self.log("val/cka", self.cka)
        self.many.update(h)
        self.log_dict(self.many)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.5)

    def on_validation_end(self) -> None:
        """What the logger was told, and what is right."""
        h = torch.cat(self.seen)
        self.seen.clear()
        if not self.trainer.sanity_checking:
            logged = {
                k: v for k, v in self.trainer.logged_metrics.items() if "val" in k
            }
            right = {
                "val/rankme": effective_rank(h)["uncentred"],
                "val/cka": cka(h, IMAGES)[""],
                "val/ratio": participation_ratio(h)["centred"],
                "val/uniformity": uniformity(h)[""],
            }
            self.found += [logged, right]


@pytest.mark.filterwarnings(r"ignore::Warning:lightning\..*")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_lightning_fit_logs_each_epoch_as_one_call_on_its_features(
    precision: Any, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    encoder = Encoder()
    trainer = L.Trainer(
        max_epochs=2,
        accelerator="cpu",
        precision=precision,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    loader = DataLoader(TensorDataset(IMAGES), batch_size=25)
    trainer.fit(encoder, loader, loader)
    first, expected_first, second, expected_second = encoder.found
    for logged, right in ((first, expected_first), (second, expected_second)):
        assert logged.keys() == right.keys()
        for key in right:
            assert float(logged[key]) == pytest.approx(float(right[key]), rel=1e-6)
    assert float(first["val/rankme"]) != pytest.approx(float(second["val/rankme"]))
    trained = {k: float(v) for k, v in trainer.callback_metrics.items() if "train" in k}
    epoch = torch.cat(encoder.trained[len(encoder.trained) // 2 :])
    assert trained["train/rank_epoch"] == pytest.approx(
        float(effective_rank(epoch)["centred"]), rel=1e-6
    )
    assert trained["train/rank_step"] == pytest.approx(
        float(effective_rank(encoder.trained[-1])["centred"]), rel=1e-6
    )
