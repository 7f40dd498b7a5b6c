"""On an emulated GPU nothing mixes devices, and no training step waits for one."""

from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.parity import ANY_WORLD, cells_with, numbers
from mae_bench.datasets import Batch, Dataset
from mae_bench.methods import Method
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, Cell, Setting, UsageError
from mae_bench.training.train import build
from tests.emulated import MixedDevices, emulated, here


def stream(device: str = "cuda", seed: int = 0) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


# What the emulation refuses and sees.


def test_it_computes_what_the_cpu_does() -> None:
    x = torch.randn(3, 4)
    layer = nn.Linear(4, 2)
    expected = layer(x).relu()
    with emulated() as syncs:
        found = layer.to("cuda")(x.to("cuda")).relu()
        assert found.device == torch.device("cuda:0")
        assert [word for word, _ in syncs] == ["_to_copy"] * 3
        assert torch.equal(here(found), expected)
        drawn = torch.randn(3, generator=stream(), device="cuda")
    assert torch.equal(here(drawn), torch.randn(3, generator=stream("cpu")))


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, y: x + y,
        lambda x, y: x @ y,
        lambda x, y: torch.cat([x, y]),
        lambda x, y: y[x > 0],
        lambda x, y: torch.nn.functional.linear(x, y),
    ],
)
def test_it_refuses_tensors_of_two_devices(mix: Any) -> None:
    with emulated():
        x, y = torch.ones(2, 2, device="cuda"), torch.ones(2, 2)
        with pytest.raises(MixedDevices, match="on cuda:0 and cpu"):
            mix(x, y)


@pytest.mark.parametrize(("place", "other"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_it_refuses_a_generator_of_another_device(place: str, other: str) -> None:
    with emulated():
        noise = stream(other)
        for draw in (torch.rand, torch.randn):
            with pytest.raises(MixedDevices, match=f"{draw.__name__} on {place}"):
                draw(2, generator=noise, device=place)
        with pytest.raises(MixedDevices, match="normal_"):
            torch.empty(2, device=place).normal_(generator=noise)


@pytest.mark.parametrize(
    ("look", "word"),
    [
        (lambda x: x.sum().item(), "_local_scalar_dense"),
        (lambda x: bool(x[0] > 0), "_local_scalar_dense"),
        (lambda x: x.cpu(), "_to_copy"),
        (lambda x: x.tolist(), "_to_copy"),
        (lambda x: x.nonzero(), "nonzero"),
        (lambda x: x[x > 0], "index"),
        (lambda x: x[torch.tensor([0])], "index"),
        (lambda x: x + torch.ones(2).to("cuda"), "_to_copy"),
        (lambda x: x + torch.tensor([1.0, 2.0], device="cuda"), "_to_copy"),
        (lambda x: torch.empty(2).copy_(x), "copy_"),
        (lambda x: torch.equal(x, x), "equal"),
    ],
)
def test_it_logs_what_makes_the_host_wait(look: Any, word: str) -> None:
    with emulated() as syncs:
        x = torch.ones(2, device="cuda")
        look(x)
        assert word in [what for what, _ in syncs]


def test_it_logs_nothing_of_work_that_stays_on_the_device() -> None:
    with emulated() as syncs:
        x = torch.ones(2, 2, device="cuda")
        x[0] = 3
        x[x > 2] = 0
        (x.exp() @ x + 2.5).mean(0).argsort()
        x.add_(torch.rand(2, 2, generator=stream(), device="cuda"))
    assert syncs == []


# Worlds.


def fresh(name: str, **settings: Any) -> Any:
    try:
        return registry.load("datasets", name)(stream("cpu"), **settings)
    except UsageError as why:
        pytest.skip(str(why))


def equal(one: Batch, two: Batch) -> bool:
    pairs = [(one.images, two.images), (one.labels, two.labels)]
    pairs += [(one.latents[level], two.latents[level]) for level in one.latents]
    return all(a is b is None or torch.allclose(here(a), here(b)) for a, b in pairs)


WORLDS = registry.names("datasets")


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_draws_on_the_gpu_what_it_draws_on_the_cpu(name: str) -> None:
    world = fresh(name)

    def drawn(device: str) -> list[Batch | None]:
        batch = world.sample(6, stream(device, 1))
        again = world.redraw(batch, stream(device, 2))
        return [batch, again, world.split("test", 6, stream(device, 3))]

    on_cpu = drawn("cpu")
    with emulated():
        on_gpu = drawn("cuda")
    for one, two in zip(on_cpu, on_gpu, strict=True):
        assert (one is None) == (two is None)
        if one is None or two is None:
            continue
        found = [two.images, *two.latents.values()]
        assert {t.device.type for t in found} == {"cuda"}
        assert equal(one, two)


# Methods.

# Why a step may wait, by where it does.
ALLOWED = {
    "models/augmentation.py::augment": "kornia draws on the CPU",
    "models/augmentation.py::crops": "kornia draws on the CPU",
    "models/augmentation.py::_jittered": "kornia draws on the CPU",
}
METHODS = registry.names("methods")
TRAINED = [name for name in METHODS if registry.load("methods", name).trains]
TWO_VIEWS = ("simclr", "barlow_twins", "vicreg", "spectral_contrastive")
# Worlds whose images are too small to be masked by patches.
WITHOUT_PATCHES = ("ar_chain", "hidden_chain", "ou_mixing")
CASES: list[tuple[str, str, dict[str, Setting]]] = [
    *((name, "", {}) for name in TRAINED),
    *(("mae", world, {}) for world in WORLDS if world not in WITHOUT_PATCHES),
    *(("simclr", world, {}) for world in ("content_style", "digits")),
    *(("mae", "", {"mask_family": word}) for word in ("left", "grid", "block")),
    ("cross_mae", "", {"mask_family": "aligned"}),
    ("m_mae", "", {"norm_pix_loss": True}),
    ("deep_linear", "linear_pair", {"objective": "jepa", "depth": 3}),
    ("linear_mae", "gaussian_field", {"expected": True}),
    ("linear_mae", "gaussian_field", {"noise_std": 0.5, "masked_only": True}),
]


def cell_of(method: str, world: str, **changed: Setting) -> Cell:
    known = registry.settings(registry.load("methods", method))
    budget = {**TIERS["smoke"].budget(), "batch_size": 8, "images": 50}
    budget |= {"full_masks": 0.25, **changed}
    budget = {key: value for key, value in budget.items() if key in known}
    settings = registry.settings(registry.load("datasets", world))
    changed = {key: value for key, value in changed.items() if key in settings}
    return Cell(world, method, "smoke", 0, settings | changed, known | budget, {})


def built(
    method: str, world: str, device: str, **changed: Setting
) -> tuple[Dataset, Method]:
    for name in (world,) if world else ANY_WORLD:
        try:
            return build(cell_of(method, name, **changed), device)
        except UsageError as why:
            pytest.skip(str(why))
        except ValueError:
            if world:
                raise
    raise AssertionError(f"{method} is built on none of {ANY_WORLD}")


@torch.no_grad()
def steps(dataset: Dataset, method: Method, device: str) -> Any:
    """The loss of each of three steps, and a place to say that the first are over."""
    data, noise = stream(device, 1), stream(device, 2)
    weights = dict(method.named_parameters())
    for step in range(3):
        batch = dataset.sample(8, data)
        loss = method(method.prepare(batch, noise))
        method.follow(weights, step)
        yield loss


@pytest.mark.parametrize(("name", "world", "changed"), CASES)
def test_a_step_stays_on_the_gpu_and_the_host_never_waits_for_it(
    name: str, world: str, changed: dict[str, Setting]
) -> None:
    on_cpu = list(steps(*built(name, world, "cpu", **changed), "cpu"))
    losses = []
    with emulated() as syncs:
        for loss in steps(*built(name, world, "cuda", **changed), "cuda"):
            losses.append(loss)
            if len(losses) < 3:
                syncs.clear()
    assert {loss.device.type for loss in losses} == {"cuda"}
    waits = [(word, where) for word, where in syncs if where not in ALLOWED]
    assert waits == []
    # Their views and ratios are drawn by a generator that the GPU's decides.
    if name != "r2_mae" and not syncs:
        torch.testing.assert_close(here(losses), on_cpu)


@pytest.mark.parametrize("name", TWO_VIEWS)
def test_of_images_of_ones_own_kornias_copies_alone_are_waited_for(name: str) -> None:
    method = registry.load("methods", name).for_images(3, 8, num_heads=2, embed_dim=8)
    images = torch.randn(4, 3, 8, 8)
    with emulated() as syncs:
        method, noise = method.to("cuda"), stream()
        batch = Batch(images.to("cuda"))
        syncs.clear()
        first = method.prepare(batch, noise)
        waits = {where for _, where in syncs}
        words = {word for word, _ in syncs}
        syncs.clear()
        assert method(first).device.type == "cuda"
        assert syncs == []
        again = method.prepare(batch, noise)
    assert waits <= ALLOWED.keys()
    assert words <= {"_to_copy", "copy_"}
    assert not torch.equal(here(first[0]), here(first[1]))
    assert not torch.equal(here(first[0]), here(again[0]))


@pytest.mark.parametrize("name", METHODS)
def test_features_are_where_the_images_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mae_bench.methods.chain_predictor.MAX_ITER", 2)
    with emulated():
        dataset, method = built(name, "", "cuda")
        found = method.eval().features(dataset.sample(4, stream()))
    assert {h.device.type for h in found.values()} == {"cuda"}


# Metrics, each with its reader, on the first cell of its experiments that it reads.

# What the emulation cannot say, and why.
NOT_EMULATED = {
    "alignment_bound": "a gradient within has no graph of wrapped tensors",
    "jacobian_influence": "torch.func's transforms see no wrapped tensor",
    "mode_times": "an untrained network has no times, and it is read on the CPU",
    "subspace_accuracy": "of pixels alone, and it takes 20 seconds",
}


@pytest.mark.parametrize("name", sorted({*registry.names("metrics")} - {*NOT_EMULATED}))
def test_a_metric_says_on_the_gpu_what_it_says_on_the_cpu(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = registry.load("metrics", name)
    monkeypatch.setattr("mae_bench.metrics.attentive_probe.MAX_ITER", 2)
    monkeypatch.setattr("mae_bench.methods.chain_predictor.MAX_ITER", 2)
    for cell, view in cells_with(name):
        with emulated():
            found = numbers(metric, cell, view, "cuda")
        if found:
            expected = numbers(metric, cell, view, "cpu")
            assert found == pytest.approx(expected, rel=1e-3, abs=1e-4, nan_ok=True)
            return
    raise AssertionError("it reads no cell of its experiments")
