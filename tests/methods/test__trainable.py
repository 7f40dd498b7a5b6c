"""Methods as anyone trains them: a Trainer, a DataLoader, a file; or a loop."""

import copy
import csv
import pickle
import warnings
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from jaxtyping import config
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from mae_bench.datasets import Batch
from mae_bench.datasets._own_images import OwnImages
from mae_bench.datasets.linear_pair import LinearPair
from mae_bench.methods import Method
from mae_bench.methods.deep_linear import DeepLinear
from mae_bench.methods.mae import MAE
from mae_bench.methods.supervised import Supervised
from mae_bench.methods.u_mae import UMAE
from mae_bench.models.optimiser import warmup_cosine
from mae_bench.records import registry
from tests.emulated import emulated
from tests.processes import START

# What Lightning says of few workers, short epochs and the like.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:lightning")

SMALL = {"embed_dim": 8, "depth": 1, "num_heads": 2, "steps": 8, "batch_size": 4}
MOMENTUM = ["byol", "data2vec", "i_jepa", "moco_v3"]
# They draw images of their own as they are built.
BUILT_OF_A_WORLD = ["cluster_mim", "deep_linear", "pixels", "pmae"]
BUILT_OF_A_WORLD += ["reduced_rank", "ridgeless"]
LEARNING = [
    name
    for name in registry.names("methods")
    if registry.load("methods", name).trains and name not in BUILT_OF_A_WORLD
]
EXAMPLE = """
import lightning as L
import torch
from torch.utils.data import DataLoader, TensorDataset

from mae_bench.methods.u_mae import UMAE

images = torch.randn(256, 3, 32, 32)  # yours, of about unit deviation
loader = DataLoader(TensorDataset(images), batch_size=64, shuffle=True)

method = UMAE.for_images(channels=3, image_size=32, patch_size=4, steps=8)
trainer = L.Trainer(max_steps=method.steps, gradient_clip_val=1.0)
trainer.fit(method, loader)
trainer.save_checkpoint("u_mae.ckpt")

method = UMAE.load_from_checkpoint("u_mae.ckpt")
features = method.encode(images)["mean"]
"""


def drawn(n: int = 16, seed: int = 0) -> Tensor:
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))


IMAGES, LABELS = drawn(), torch.arange(16) % 2
PAIRS = TensorDataset(IMAGES, LABELS)


def own(name: str, seed: int = 0, **changed: Any) -> Method:
    """A method for images of one's own, small."""
    kind = registry.load("methods", name)
    known = registry.settings(kind)
    # Of four images one is not shown.
    small = SMALL | {"full_masks": 0.25} | changed
    given = {k: v for k, v in small.items() if k in known}
    method: Method = kind.for_images(3, 8, num_classes=2, seed=seed, **given)
    return method


def trainer(steps: int, **given: Any) -> L.Trainer:
    quiet: dict[str, Any] = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "devices": 1,
    }
    return L.Trainer(max_steps=steps, accelerator="cpu", **quiet | given)


def loader(data: Any = PAIRS, n: int = 4) -> DataLoader:
    return DataLoader(data, batch_size=n)


def fit(method: Method, steps: int = 4, data: Any = PAIRS, **given: Any) -> L.Trainer:
    done = trainer(steps, **given)
    done.fit(method, loader(data))
    return done


def state(method: Method) -> dict[str, Tensor]:
    return {name: w.clone() for name, w in method.state_dict().items()}


def same(one: Mapping[str, Tensor], two: Mapping[str, Tensor]) -> bool:
    assert one.keys() == two.keys()
    return all(torch.equal(one[name], two[name]) for name in one)


# Built for images of one's own.


def test_the_shape_is_kept_and_one_seed_gives_the_same_weights() -> None:
    one, two, other = (own("u_mae", seed) for seed in (3, 3, 4))
    assert isinstance(one.dataset, OwnImages)
    assert (one.dataset.channels, one.dataset.image_size) == (3, 8)
    assert same(state(one), state(two))
    assert not same(state(one), state(other))
    assert UMAE.for_images().dataset.image_size == 32


@pytest.mark.parametrize("name", BUILT_OF_A_WORLD)
def test_what_learns_as_it_is_built_says_that_it_needs_a_world(name: str) -> None:
    with pytest.raises(TypeError, match="images of your own cannot be sampled"):
        own(name)


def test_a_supervised_method_asks_for_its_classes_and_its_labels() -> None:
    with pytest.raises(ValueError, match="of images of your own, give num_classes"):
        Supervised.for_images()
    with pytest.raises(ValueError, match="learns from labels, which this batch does"):
        fit(own("supervised"), data=TensorDataset(IMAGES))


def test_of_a_world_with_latents_a_supervised_method_asks_for_its_root() -> None:
    world = LinearPair(torch.Generator().manual_seed(0))
    method = Supervised(world, torch.Generator(), **SMALL)
    images = world.sample(4, torch.Generator()).images
    with pytest.raises(ValueError, match="learns from the root, which this batch"):
        method.loss(images, torch.Generator())


# In a Trainer.


@pytest.mark.parametrize("name", LEARNING)
def test_every_method_learns_in_mixed_precision_and_is_loaded_as_it_was(
    name: str, tmp_path: Path
) -> None:
    method = own(name)
    before = state(method)
    done = fit(method, steps=2, precision="bf16-mixed", gradient_clip_val=1.0)
    after = state(method)
    assert done.callback_metrics["train_loss"].isfinite()
    for key, weight in method.named_parameters():
        assert weight.isfinite().all()
        moved = not torch.equal(before[key], weight)
        assert moved == weight.requires_grad or key.startswith("momentum_"), key
    done.save_checkpoint(tmp_path / "end.ckpt")
    torch.manual_seed(7)
    loaded = type(method).load_from_checkpoint(tmp_path / "end.ckpt")
    assert same(state(loaded), after)
    assert loaded.hparams == method.hparams
    features = method.encode(IMAGES)
    assert same(loaded.encode(IMAGES), features)
    assert same(loaded.features(Batch(IMAGES)), features)


class Alone(Dataset):
    """Images without anything around them."""

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, index: int) -> Tensor:
        return IMAGES[index]


def test_images_alone_in_a_list_and_beside_labels_are_trained_on_alike() -> None:
    ends = []
    for data in (Alone(), TensorDataset(IMAGES), PAIRS):
        method = own("mae")
        fit(method, data=data)
        ends.append(state(method))
    assert same(ends[0], ends[1])
    assert same(ends[0], ends[2])


def test_images_of_a_wrong_kind_are_refused_in_the_trainer_too() -> None:
    with pytest.raises(TypeError, match=r"images of torch\.uint8 do not go with"):
        fit(own("mae"), data=TensorDataset(IMAGES.to(torch.uint8)))
    with pytest.raises(ValueError, match=r"\[4, 1, 8, 8\] are not \[n, 3, 8, 8\]"):
        fit(own("mae"), data=TensorDataset(IMAGES[:, :1]))


def test_supervised_learns_labels_and_predicts_features() -> None:
    images = IMAGES + 2 * LABELS[:, None, None, None]
    method = own("supervised", steps=30, lr=0.01)
    done = fit(method, steps=30, data=TensorDataset(images, LABELS))
    assert done.callback_metrics["train_loss"] < 0.1
    found = done.predict(method, loader(TensorDataset(images)))
    assert found is not None
    features = torch.cat([part["mean"] for part in found])
    torch.testing.assert_close(features, method.encode(images)["mean"])


def test_masks_are_another_draw_in_each_batch_and_epoch_and_each_seeds_own() -> None:
    seen: list[bytes] = []

    class Seeing(MAE):
        def prepare(self, batch: Batch, generator: torch.Generator) -> Any:
            example = super().prepare(batch, generator)
            seen.append(example[2].ids_keep.numpy().tobytes())
            return example

    for seed in (0, 0, 1):
        small = {k: v for k, v in SMALL.items() if k != "steps"}
        method = Seeing.for_images(3, 8, seed=seed, **small)
        fit(method, steps=8)  # two epochs of four batches
    first, again, other = seen[:8], seen[8:16], seen[16:]
    assert first == again
    assert len({*first, *other}) == 16


class Norms(L.Callback):
    """Norm of all gradients that the optimiser took."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.found: list[float] = []
        trainer.optimizers[0].register_step_post_hook(lambda *_: self.look(pl_module))

    def look(self, module: L.LightningModule) -> None:
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        self.found.append(torch.nn.utils.get_total_norm(grads).item())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_gradients_are_clipped(precision: Any) -> None:
    free, clipped = Norms(), Norms()
    fit(own("mae"), callbacks=[free], precision=precision)
    fit(own("mae"), callbacks=[clipped], precision=precision, gradient_clip_val=0.01)
    assert len(free.found) == len(clipped.found) == 4
    assert min(free.found) > 0.02
    assert clipped.found == pytest.approx([0.01] * 4, rel=0.01)


class Beside(L.Callback):
    """After each batch: the learning rate, and a weight of the copy."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.copies: list[Tensor] = []

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        self.copies.append(pl_module.momentum_encoder.cls_token.clone())


@pytest.mark.parametrize("name", MOMENTUM)
def test_of_accumulated_batches_copy_and_schedule_move_once_a_step(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, beside, steps = own(name, momentum=0.5), Beside(), []
    kind = type(method)
    honest = kind.follow

    def follow(self: Method, weights: Mapping[str, Tensor], step: int) -> None:
        steps.append(step)
        honest(self, weights, step)

    monkeypatch.setattr(kind, "follow", follow)
    start = method.momentum_encoder.cls_token.clone()
    fit(method, steps=3, accumulate_grad_batches=2, callbacks=[beside])
    assert steps == [0, 1, 2]
    copies = [start, *beside.copies]
    still = [torch.equal(a, b) for a, b in pairwise(copies)]
    assert still == [True, False] * 3
    shares = [warmup_cosine(k, 8, 0.5) for k in (0, 1, 1, 2, 2, 3)]
    assert beside.rates == pytest.approx([0.01 * share for share in shares])


@pytest.mark.parametrize("name", MOMENTUM)
def test_a_trainer_takes_the_steps_of_a_loop_that_calls_follow(name: str) -> None:
    # Without chance in the masks the two can be held against each other.
    method, other = (own(name, momentum=0.5) for _ in range(2))
    fit(method, data=PAIRS)
    (optimizer,), (entry,) = other.configure_optimizers()
    for step, batch in enumerate(loader(PAIRS)):
        optimizer.zero_grad()
        other.log = lambda *_, **__: None  # type: ignore[method-assign]
        other.training_step(batch, step).backward()
        optimizer.step()
        other.follow(dict(other.named_parameters()), step)
        entry["scheduler"].step()
    assert same(state(method), state(other))


def test_the_loss_of_every_step_is_in_the_log(tmp_path: Path) -> None:
    logger, method = CSVLogger(tmp_path), own("u_mae", lamb=0.5)
    fit(method, logger=logger, log_every_n_steps=1)
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        losses = [float(row["train_loss"]) for row in csv.DictReader(file)]
    assert len(losses) == 4
    assert all(0 < loss < 10 for loss in losses)
    settings = (Path(logger.log_dir) / "hparams.yaml").read_text()
    assert "lamb: 0.5" in settings
    assert "method: UMAE" in settings


def test_a_trainer_that_goes_on_after_the_schedule_is_told() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit(own("mae"), steps=8)
        fit(own("mae"), steps=9)
    found = [str(w.message) for w in told if "schedule" in str(w.message)]
    assert len(found) == 1
    assert found[0].startswith("the schedule is 8 steps long, then stays")
    assert "9 are planned" in found[0]


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Without the tests' own checks of types, which cannot be compiled."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("whole", [True, False])
def test_a_compiled_method_learns_the_same(whole: bool) -> None:
    plain, compiled = own("u_mae"), own("u_mae")
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    fit(plain)
    if whole:
        done = trainer(4)
        done.fit(torch.compile(compiled, backend=backend), loader())
    else:
        compiled.compile(backend=backend)
        fit(compiled)
    torch._dynamo.reset()
    products = [str(node.target) for graph in graphs for node in graph.graph.nodes]
    assert any("linear" in product for product in products)
    for key, weight in state(plain).items():
        torch.testing.assert_close(compiled.state_dict()[key], weight)


def test_amplitudes_are_kept_in_a_trainer_as_in_the_suite() -> None:
    world = LinearPair(torch.Generator().manual_seed(0))
    images = world.sample(16, torch.Generator().manual_seed(1)).images
    method = DeepLinear(world, torch.Generator(), steps=6, images=50)
    start = method.encoder().detach().norm(dim=0)
    done = trainer(4)
    done.fit(method, loader(TensorDataset(images)))
    torch.testing.assert_close(method.amplitudes[0], start)
    now = method.encoder().detach().norm(dim=0)
    torch.testing.assert_close(method.amplitudes[4], now)
    assert not method.amplitudes[5].any()


# Saved, loaded, taken up again.


@pytest.mark.parametrize("name", ["mae", *MOMENTUM])
def test_a_training_that_is_taken_up_again_ends_where_one_without_a_stop_does(
    name: str, tmp_path: Path
) -> None:
    whole, half = own(name), own(name)
    fit(whole, steps=-1, max_epochs=2)
    fit(half, steps=-1, max_epochs=1).save_checkpoint(tmp_path / "half.ckpt")
    again = own(name)
    done = trainer(-1, max_epochs=2)
    done.fit(again, loader(), ckpt_path=tmp_path / "half.ckpt")
    assert not same(state(half), state(whole))
    assert same(state(again), state(whole))


def saved(method: Method, path: Path) -> Path:
    done = trainer(1)
    done.strategy.connect(method)
    done.save_checkpoint(path, weights_only=True)
    return path


def test_a_method_on_a_world_is_loaded_by_its_shape_or_on_that_world(
    tmp_path: Path,
) -> None:
    world = LinearPair(torch.Generator().manual_seed(0))
    images = world.sample(4, torch.Generator()).images
    method = MAE(world, torch.Generator().manual_seed(5), num_heads=2, patch_size=1)
    path = saved(method, tmp_path / "a.ckpt")
    loaded = MAE.load_from_checkpoint(path)
    assert isinstance(loaded.dataset, OwnImages)
    assert (loaded.encoder.patch_size, loaded.hparams["seed"]) == (1, 5)
    assert same(loaded.encode(images), method.encode(images))
    rooted = Supervised(world, torch.Generator(), **SMALL)
    path = saved(rooted, tmp_path / "b.ckpt")
    with pytest.raises(ValueError, match="neither latents nor labels"):
        Supervised.load_from_checkpoint(path)
    again = Supervised.load_from_checkpoint(path, dataset=world)
    assert again.dataset is world
    assert same(state(again), state(rooted))


def test_settings_may_be_changed_where_the_weights_still_fit(tmp_path: Path) -> None:
    path = saved(own("u_mae", lamb=0.5), tmp_path / "a.ckpt")
    assert UMAE.load_from_checkpoint(path).lamb == 0.5
    assert UMAE.load_from_checkpoint(path, lamb=2.0).lamb == 2.0
    with pytest.raises(RuntimeError, match="size mismatch"):
        UMAE.load_from_checkpoint(path, embed_dim=16)


def test_a_file_of_another_class_or_of_nobody_is_refused(tmp_path: Path) -> None:
    path = saved(own("u_mae"), tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"a\.ckpt holds a UMAE, and not a MAE"):
        MAE.load_from_checkpoint(path)
    torch.save({"state_dict": {}}, tmp_path / "b.ckpt")
    with pytest.raises(ValueError, match="holds no method that could be built again"):
        MAE.load_from_checkpoint(tmp_path / "b.ckpt")


def test_a_checkpoint_is_read_without_running_anything(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return print, ("sprung",)

    content = torch.load(saved(own("mae"), tmp_path / "a.ckpt"), weights_only=True)
    torch.save(content | {"trap": Trap()}, tmp_path / "a.ckpt")
    with pytest.raises(Exception, match="Weights only load failed"):
        MAE.load_from_checkpoint(tmp_path / "a.ckpt")


def test_a_class_that_asks_its_base_for_something_else_is_built_as_it_was(
    tmp_path: Path,
) -> None:
    class Coarse(MAE):
        def __init__(self, *parts: Any, blocks: int = 1, **mae: Any) -> None:
            super().__init__(*parts, **{**mae, "depth": 2 * blocks})

    method = Coarse.for_images(3, 8, blocks=2, embed_dim=8)
    assert (method.hparams["blocks"], len(method.encoder.blocks)) == (2, 4)
    loaded = Coarse.load_from_checkpoint(saved(method, tmp_path / "a.ckpt"))
    assert same(state(loaded), state(method))


def test_a_copy_of_a_method_knows_how_it_was_built() -> None:
    method = own("u_mae", lamb=0.25)
    twin = copy.deepcopy(method)
    assert twin.hparams == method.hparams
    assert twin.hparams["lamb"] == 0.25
    assert twin.hparams.keys() >= registry.settings(UMAE).keys()


# In a loop of one's own.


def loop(method: Method, follow: bool) -> None:
    optimizer = torch.optim.AdamW(method.parameters(), 0.01, fused=True)
    noise = torch.Generator().manual_seed(0)
    for step, (images, labels) in enumerate(loader()):
        optimizer.zero_grad()
        method.loss((images, labels), noise).backward()
        optimizer.step()
        if follow:
            method.follow(dict(method.named_parameters()), step)


@pytest.mark.parametrize("name", MOMENTUM)
def test_a_loop_that_leaves_the_copy_behind_is_told_once_how_to_take_it_along(
    name: str,
) -> None:
    method = own(name)
    with pytest.warns(UserWarning, match=r"call method\.follow") as told:
        loop(method, follow=False)
    (warning,) = told
    assert f"{type(method).__name__} follows its weights" in str(warning.message)


@pytest.mark.parametrize("name", ["mae", *MOMENTUM])
def test_a_loop_that_calls_follow_is_told_nothing(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop(own(name), follow=True)


# Where the images are, and whose.


@pytest.mark.parametrize("name", LEARNING)
def test_all_that_a_step_draws_and_makes_is_where_the_images_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = own(name)
    monkeypatch.setattr(method, "log", lambda *_, **__: None)
    with emulated():
        method = method.to("cuda")
        batch = [IMAGES.to("cuda"), LABELS.to("cuda")]
        loss = method.training_step(batch, 0)
        features = method.encode(batch)
    assert loss.device.type == "cuda"
    assert all(h.device.type == "cuda" for h in features.values())


class Rows(L.Callback):
    """Writes what the encoder of each process is shown."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_start(self, _: L.Trainer, pl_module: Any) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []
        pl_module.encoder.register_forward_pre_hook(
            lambda _, shown: self.seen.append(shown)
        )

    def on_train_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        images, kept = map(torch.stack, zip(*self.seen, strict=True))
        found = {"images": images, "kept": kept, **pl_module.state_dict()}
        torch.save(found, self.folder / str(trainer.global_rank))


def test_of_two_processes_each_is_shown_all_images_that_its_sampler_gives(
    tmp_path: Path,
) -> None:
    method = own("u_mae")
    # It would travel to processes that are no copies of this one.
    there = pickle.loads(pickle.dumps(method))  # noqa: S301  # our own, just now
    assert same(state(there), state(method))
    done = trainer(2, strategy=f"ddp_{START}", callbacks=[Rows(tmp_path)], devices=2)
    done.fit(method, loader(TensorDataset(IMAGES)))
    one, two = (torch.load(tmp_path / str(rank)) for rank in (0, 1))
    assert one["images"].shape == two["images"].shape == (2, 4, 3, 8, 8)
    shown = torch.cat([one["images"], two["images"]]).flatten(0, 1)
    assert {x.numpy().tobytes() for x in shown} == {x.numpy().tobytes() for x in IMAGES}
    # Each draws its own masks; all learn the same.
    assert not torch.equal(one.pop("kept"), two.pop("kept"))
    del one["images"], two["images"]
    assert same(one, two)
    assert same(state(method), one)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(EXAMPLE, names)  # noqa: S102  # it is ours, and what a reader would run
    assert len([line for line in EXAMPLE.splitlines() if line]) <= 15
    assert names["features"].shape == (256, 32)
    assert (tmp_path / "u_mae.ckpt").exists()
