"""What a frozen encoder is shown: its own images, masks and others' causes."""

from typing import Any

import pytest
import torch

from mae_bench.datasets import Batch
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Skip
from mae_bench.records.schema import TIERS
from mae_bench.runs.specimen import Specimen, chunks
from mae_bench.training.train import build


def test_a_masked_encoder_sees_the_patches_that_its_own_ratio_leaves(
    monkeypatch: pytest.MonkeyPatch, specimen
) -> None:
    seen = set()
    honest = MAE.features

    def features(self: MAE, batch: Batch, ids_keep: Any = None) -> Any:
        seen.add(None if ids_keep is None else ids_keep.shape[1])
        return honest(self, batch, ids_keep)

    monkeypatch.setattr(MAE, "features", features)
    for view in ("unmasked", "masked"):
        with torch.inference_mode():
            assert specimen(view=view).features
    assert seen == {None, 4}


def test_probes_are_fitted_chosen_and_reported_on_images_of_their_own(specimen) -> None:
    splits = specimen().splits
    tier = TIERS["smoke"]
    assert [len(splits[n]) for n in ("train", "val", "test")] == [
        tier.n_train,
        tier.n_val,
        tier.n_test,
    ]
    images = torch.cat([batch.images for batch in splits.values()]).flatten(1)
    assert len(images.unique(dim=0)) == len(images)


def test_all_methods_of_a_seed_are_probed_on_the_same_images(specimen) -> None:
    ours, theirs = specimen("mae"), specimen("pixels")
    for name, batch in ours.splits.items():
        assert torch.equal(batch.images, theirs.splits[name].images)


def test_an_image_is_given_all_levels_of_one_other_image(specimen) -> None:
    with torch.inference_mode():
        subject = specimen()
        for name, batch in subject.splits.items():
            known = subject.latents(name, shuffled=True)
            levels = list(batch.latents)
            mine = torch.cat([known[level] for level in levels], 1)
            other = torch.cat([known[f"{level}/shuffled"] for level in levels], 1)
            assert torch.equal(mine, torch.cat(list(batch.latents.values()), 1))
            assert (mine == other).all(1).sum() <= 5
            assert torch.equal(mine.sort(0).values, other.sort(0).values)
            assert {tuple(row) for row in mine.tolist()} == {
                tuple(row) for row in other.tolist()
            }


def test_labels_are_dealt_to_other_images_of_the_split_by_seed(specimen) -> None:
    subject = specimen()
    for name, batch in subject.splits.items():
        order = subject.others(name)
        assert torch.equal(order.sort().values, torch.arange(len(batch)))
        assert (order == torch.arange(len(batch))).sum() <= 5
        assert torch.equal(order, specimen("pixels").others(name))
        assert torch.equal(subject.labels(name), batch.labels)


def test_a_world_without_labels_is_skipped(cell_of) -> None:
    dataset, built = build(cell_of("mae", "spiked_field"), "cpu")
    bare = Specimen(cell_of("mae", "spiked_field"), dataset, built, "unmasked", "cpu")
    with pytest.raises(Skip, match="spiked_field has no labels"):
        bare.labels("train")


def test_chunks_are_all_images_in_their_order(specimen, monkeypatch) -> None:
    monkeypatch.setattr("mae_bench.runs.specimen.CHUNK", 50)
    batch = specimen().splits["test"]
    parts = list(chunks(batch))
    assert [len(part) for part in parts] == [50, 50, 28]
    assert torch.equal(torch.cat([part.images for part in parts]), batch.images)
