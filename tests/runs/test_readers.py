from typing import Any

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch
from mae_bench.methods import ViTMethod
from mae_bench.methods.mae import MAE
from mae_bench.metrics import Patches
from mae_bench.metrics.attentive_probe import attentive_probe
from mae_bench.models.masking import Masking
from mae_bench.models.vit import patchify, unpatchify
from mae_bench.oracles.gaussian_conditioning import conditional_mean
from mae_bench.records.schema import TIERS, Setting
from mae_bench.runs import readers
from mae_bench.runs.readers import FLOORED, FLOORED_LABELS
from mae_bench.runs.score import score
from mae_bench.runs.specimen import Specimen
from mae_bench.training.train import build


def values(rows: list[dict[str, Any]], at: str = "mean") -> dict[str, float]:
    assert all(row["status"] == "ok" for row in rows), rows
    return {r["target"]: r["value"] for r in rows if r.get("token", at) == at}


class Exact(MAE):
    """Reconstructs by the exact conditional mean of the world's pixels."""

    def reconstruct(
        self, batch: Batch, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Masking]:
        masking = self.masking(len(batch), generator)
        p = self.encoder.patch_size
        images = batch.images
        patches = torch.zeros_like(patchify(images, p))
        index = masking.ids_masked[..., None].expand(-1, -1, patches.shape[-1])
        hidden = patches.scatter(1, index, 1.0)
        mask = unpatchify(hidden, p).flatten(1)
        mean = conditional_mean(self.dataset.covariance(), images.flatten(1), mask)
        guess = patchify(mean.view_as(images).float(), p).gather(1, index)
        return guess, self.target(batch.images, masking), masking


def test_no_guess_beats_the_bayes_error_and_the_exact_one_meets_it(
    cell_of, rows_of
) -> None:
    cell = cell_of("mae")
    settings = dict(cell.method_settings)
    dataset, untrained = build(cell, "cpu")
    exact = Exact(dataset, torch.Generator().manual_seed(0), **settings)
    wanted = ("reconstruction_error", "unmasked")
    met = values(rows_of(cell, wanted, method=exact), at="")
    # 128 images of 12 masked patches: a few percent of sampling error.
    assert met["ratio_to_bayes"] == pytest.approx(1, abs=0.08)
    assert met["masked"] == pytest.approx(met["bayes"] * met["ratio_to_bayes"])
    poor = values(rows_of(cell, wanted, method=untrained), at="")
    assert poor["ratio_to_bayes"] > 1.2
    assert poor["bayes"] == pytest.approx(met["bayes"])


def test_a_world_without_a_covariance_has_no_bayes_error(cell_of, rows_of) -> None:
    rows = rows_of(cell_of("mae", "digits"), ("reconstruction_error", "unmasked"))
    assert "masked" in values(rows, "")
    assert "bayes" not in values(rows, "")


def test_the_masked_view_shows_the_encoder_less(cell_of, rows_of) -> None:
    wanted = [("linear_r2", view) for view in ("unmasked", "masked")]
    rows = rows_of(cell_of("random_init"), *wanted)
    views = {
        v: values([r for r in rows if r["view"] == v]) for v in ("unmasked", "masked")
    }
    assert views["masked"]["level_2"] < views["unmasked"]["level_2"] - 0.05
    assert {r["metric"] for r in rows} == {"linear_r2"}


def test_a_probe_of_features_without_content_finds_nothing_on_held_out_images(
    cell_of, rows_of, answering
) -> None:
    noise = torch.Generator().manual_seed(0)
    answering(lambda h: torch.randn(h.shape, generator=noise))
    rows = rows_of(cell_of("random_init"), ("linear_r2", "unmasked"))
    # Fitted on the images that it is reported on, 32 features of 128 would give 0.25.
    assert all(value < 0.1 for value in values(rows).values())


@pytest.fixture
def chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("readers", "specimen"):
        monkeypatch.setattr(f"mae_bench.runs.{room}.CHUNK", 50)


@pytest.mark.usefixtures("chunked")
def test_chunks_change_no_number(cell_of, rows_of) -> None:
    cell = cell_of("random_init")
    wanted = [("linear_r2", "unmasked"), ("effective_rank", "unmasked")]
    small = rows_of(cell, *wanted)
    with pytest.MonkeyPatch.context() as patch:
        for room in ("readers", "specimen"):
            patch.setattr(f"mae_bench.runs.{room}.CHUNK", 500)
        large = rows_of(cell, *wanted)
    for a, b in zip(small, large, strict=True):
        assert a["value"] == pytest.approx(b["value"], abs=1e-4)


def test_a_probe_of_latents_has_one_number_a_level(cell_of, rows_of) -> None:
    dataset, _ = build(cell_of("random_init"), "cpu")
    rows = rows_of(cell_of("random_init"), ("linear_r2", "unmasked"))
    assert set(values(rows)) == set(dataset.levels)


@pytest.mark.parametrize("metric", FLOORED)
def test_what_is_held_against_the_latents_of_others_moves_no_other_number(
    metric: str, monkeypatch: pytest.MonkeyPatch, cell_of, rows_of
) -> None:
    world = "random_hierarchy" if metric == "level_accuracy" else "gaussian_tree"
    cell, wanted = cell_of("random_init", world), (metric, "unmasked")
    both = values(rows_of(cell, wanted))
    shuffled = values(rows_of(cell, wanted), "mean/shuffled")
    monkeypatch.setattr("mae_bench.runs.readers.FLOORED", ())
    assert both == pytest.approx(values(rows_of(cell, wanted)), abs=1e-9)
    assert shuffled.keys() == both.keys()
    assert values(rows_of(cell, wanted), "mean/shuffled") == {}


@pytest.mark.parametrize("method", ["oracle_latents", "random_init"])
def test_nothing_is_read_of_the_latents_of_other_images(
    method: str, cell_of, rows_of
) -> None:
    cell = cell_of(method)
    wanted = [(metric, "unmasked") for metric in FLOORED if metric != "level_accuracy"]
    rows = [r for r in rows_of(cell, *wanted) if r["status"] == "ok"]
    floor = [r for r in rows if r["token"].endswith("/shuffled")]
    assert {r["metric"] for r in floor} == {metric for metric, _ in wanted}
    for r in floor:
        # By chance alone correlations of 128 images are 0.07, and matching adds.
        assert r["value"] < (0.2 if r["metric"] == "mcc" else 0.1), r


@pytest.mark.parametrize("metric", FLOORED_LABELS)
def test_a_probe_of_labels_has_its_chance_and_the_commonest_class_beside_it(
    metric: str, monkeypatch: pytest.MonkeyPatch, cell_of, rows_of
) -> None:
    cell, wanted = cell_of("pixels", "digits"), (metric, "unmasked")
    rows = rows_of(cell, wanted)
    read, chance = values(rows), values(rows, "mean/shuffled")
    (majority,) = [r for r in rows if r["target"] == "majority"]
    assert "token" not in majority
    dataset, _ = build(cell, "cpu")
    stream = torch.Generator()
    train = dataset.split("train", TIERS["smoke"].n_train, stream).labels
    test = dataset.split("test", TIERS["smoke"].n_test, stream).labels
    commonest = max(range(10), key=train.tolist().count)
    assert majority["value"] == test.tolist().count(commonest) / len(test)
    assert read.pop("majority") == majority["value"]
    assert max(read.values()) > 0.7
    # Ten classes, 128 images: three standard deviations, of whichever class it says.
    assert all(value == pytest.approx(0.1, abs=0.085) for value in chance.values())
    monkeypatch.setattr("mae_bench.runs.readers.FLOORED_LABELS", ())
    alone = rows_of(cell, wanted)
    assert values(alone) == read
    tokens = {r["token"].removesuffix("/val") for r in alone}
    assert tokens == {"mean", "pca"}


def test_a_symbol_of_another_image_is_guessed_by_its_frequency(
    cell_of, rows_of
) -> None:
    cell = cell_of("oracle_latents", "random_hierarchy")
    rows = rows_of(cell, ("level_accuracy", "unmasked"))
    root = {r["token"]: r["value"] for r in rows if r["target"] == "level_0"}
    assert root["mean"] > 0.9
    # Four symbols, 128 images: three standard deviations.
    assert root["mean/shuffled"] == pytest.approx(0.25, abs=0.115)


def test_an_invertible_trees_error_stands_beside_its_exact_floor(
    cell_of, rows_of
) -> None:
    def found(**changed: Setting) -> dict[str, float]:
        cell = cell_of("mae", "invertible_tree", **changed)
        return values(rows_of(cell, ("reconstruction_error", "unmasked")), "")

    at = found(mask_ratio=0.5)
    assert 0 < at["floor"] < at["masked"]
    assert found(mask_ratio=0.75)["floor"] > at["floor"]
    # Patches of 4 pixels are no leaves.
    assert "floor" not in found(patch_size=4, mask_ratio=0.5)


def test_a_hierarchys_guesses_stand_beside_belief_propagation(cell_of, rows_of) -> None:
    cell = cell_of("mae", "random_hierarchy", mask_ratio=0.25)
    found = values(rows_of(cell, ("reconstruction_error", "unmasked")), "")
    assert found["bayes"] < found["bayes_cut_1"] < found["masked"]
    assert found["ratio_to_bayes"] == pytest.approx(found["masked"] / found["bayes"])
    assert found["explained_bayes"] > found["explained_bayes_cut_1"] > 0.3
    assert found["explained_masked"] < 0.3


def test_a_weighed_ceiling_is_of_what_the_encoder_was_shown(cell_of, rows_of) -> None:
    most = {}
    for view in ("unmasked", "masked"):
        wanted = [(metric, view) for metric in ("linear_r2", "ceiling_ratio")]
        rows = rows_of(cell_of("random_init"), *wanted)
        r2, ratio = (
            values([r for r in rows if r["metric"] == metric]) for metric, _ in wanted
        )
        most[view] = {level: r2[level] / ratio[level] for level in ratio}
    for level, whole in most["unmasked"].items():
        assert 0 < most["masked"][level] < whole <= 1


def test_the_masks_of_a_ceiling_are_those_that_the_encoder_was_shown(
    monkeypatch: pytest.MonkeyPatch, cell_of, rows_of
) -> None:
    shown, asked = [], []
    honest, recoverable = MAE.features, readers.recoverable

    def features(self: MAE, batch: Batch, ids_keep: Any = None) -> Any:
        shown.append(ids_keep)
        return honest(self, batch, ids_keep)

    def asking(world: Any, batch: Batch, mask: Tensor, noise: Any) -> Any:
        asked.append(mask)
        return recoverable(world, batch, mask, noise)

    monkeypatch.setattr(MAE, "features", features)
    monkeypatch.setattr(readers, "recoverable", asking)
    rows_of(cell_of("mae"), ("ceiling_ratio", "masked"))
    (mask,), test = asked, shown[-1]
    visible = patchify(mask.view(-1, 1, 8, 8), 2)[:, :, 0] == 0
    assert torch.equal(visible.nonzero()[:, 1].view(len(test), -1), test.sort(1).values)


def test_a_world_without_an_exact_answer_has_no_ceiling(cell_of, rows_of) -> None:
    for metric in ("ceiling", "ceiling_ratio"):
        (row,) = rows_of(cell_of("mae", "digits"), (metric, "unmasked"))
        assert row["status"] == "skipped"
        assert "no exact answer" in row["reason"]


def test_a_step_is_counted_of_a_frozen_encoder_and_leaves_it_alone(cell_of) -> None:
    cell = cell_of("moco_v3")
    dataset, method = build(cell, "cpu")
    method.eval().requires_grad_(False)
    before = {name: weight.clone() for name, weight in method.state_dict().items()}
    found = score(cell, dataset, method, [("training_flops", "unmasked")], "cpu")
    counted = values([row for rows in found.values() for row in rows])
    assert counted["run"] == cell.method_settings["steps"] * counted["step"] > 0
    assert not any(p.requires_grad or p.grad is not None for p in method.parameters())
    for name, weight in method.state_dict().items():
        assert torch.equal(weight, before[name])


def test_the_loss_is_of_images_that_choose_with_the_same_masks_at_every_rate(
    cell_of, rows_of
) -> None:
    wanted = ("held_out_loss", "unmasked")
    rows = [rows_of(cell_of("mae", lr=lr), wanted) for lr in (0.001, 0.03)]
    assert rows[0] == rows[1]
    assert [(row["n_eval"], row["target"]) for row in rows[0]] == [
        (TIERS["smoke"].n_val, "mean")
    ]


@pytest.mark.parametrize("metric", ["held_out_loss", "training_flops"])
def test_what_does_not_train_has_neither_a_loss_nor_a_cost(
    metric: str, cell_of, rows_of
) -> None:
    (row,) = rows_of(cell_of("random_init"), (metric, "unmasked"))
    assert (row["status"], row["reason"]) == (
        "skipped",
        "random_init has nothing to learn",
    )


def test_the_accuracy_that_chose_stands_under_a_token_of_its_own(
    cell_of, rows_of
) -> None:
    cell = cell_of("random_init", "digits")
    rows = rows_of(cell, ("linear_probe", "unmasked"), ("attentive_probe", "unmasked"))
    assert {row["target"] for row in rows} == {"", "majority"}
    tokens = {(r["metric"], r["token"]) for r in rows if r["target"] == ""}
    assert tokens == {
        *(("linear_probe", t) for t in ("mean", "mean/val", "mean/shuffled")),
        *(("linear_probe", t) for t in ("cls", "cls/val", "cls/shuffled")),
        *(("attentive_probe", t) for t in ("patches", "patches/val")),
    }
    dataset, method = build(cell, "cpu")
    specimen = Specimen(cell, dataset, method, "unmasked", "cpu")
    with torch.inference_mode():
        known = [
            Patches(specimen.patches(name), specimen.labels(name))
            for name in specimen.splits
        ]
        expected = attentive_probe(*known)
    mine = {r["token"]: r["value"] for r in rows if r["metric"] == "attentive_probe"}
    assert mine == {"patches": expected[""], "patches/val": expected["val"]}


def test_patches_that_are_alike_in_all_images_are_collapsed(
    monkeypatch: pytest.MonkeyPatch, cell_of, rows_of
) -> None:
    def same(_: Any, batch: Batch, *__: Any) -> Tensor:
        return torch.arange(12.0).view(1, 3, 4).expand(len(batch), -1, -1)

    monkeypatch.setattr(ViTMethod, "patches_seen", same)
    (row,) = rows_of(cell_of("random_init", "digits"), ("attentive_probe", "unmasked"))
    assert (row["token"], row["status"]) == ("patches", "collapsed")


def test_a_method_without_patches_is_not_asked_for_them(cell_of, rows_of) -> None:
    wanted = ("attentive_probe", "unmasked")
    (row,) = rows_of(cell_of("pixels", "digits"), wanted)
    assert row["status"] == "skipped"
    assert "does not look at patches" in row["reason"]
