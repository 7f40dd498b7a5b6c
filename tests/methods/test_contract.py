"""What holds for every method: a new file is covered by being there."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mae_bench.datasets import Batch, Dataset
from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.methods import Method, ViTMethod
from mae_bench.records import registry
from mae_bench.records.schema import TIERS, TRACKS

METHODS = registry.names("methods")
KINDS = {name: registry.load("methods", name) for name in METHODS}
TRAINED = [name for name in METHODS if KINDS[name].trains]
VITS = [name for name in METHODS if issubclass(KINDS[name], ViTMethod)]
MOMENTUM = [name for name in VITS if "momentum" in registry.settings(KINDS[name])]
# Its head reads the patches alone; where none is visible there is no code.
NO_CODE = {"sim_mim", "full_mask_mae"}
# The masks of one have another number of patches at every step, and linear algebra
# checks; kornia draws the crops of the others on the CPU.
WAIT = {"r2_mae", "simclr_resnet", "lejepa_vit"}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(name: str, seed: int = 0, **settings: Any) -> tuple[Dataset, Method]:
    known = registry.settings(KINDS[name])
    wanted = TIERS["smoke"].budget() | settings
    budget = {key: value for key, value in wanted.items() if key in known}
    dataset = GaussianTree(stream())
    return dataset, KINDS[name](dataset, stream(seed), **budget)


@pytest.mark.parametrize("name", METHODS)
def test_its_features_are_finite_tokens_of_known_names(name: str) -> None:
    dataset, method = built(name)
    batch = dataset.sample(12, stream(1))
    with torch.inference_mode():
        features = method.eval().features(batch)
        alone = method.features(batch.rows(slice(0, 5)))
    assert "mean" in features
    for token, h in features.items():
        assert (h.ndim, len(h)) == (2, 12)
        assert h.isfinite().all()
        # An image's features do not depend on its neighbours in the batch.
        assert torch.allclose(h[:5], alone[token], atol=1e-5)
    assert method.version >= 1


def test_what_each_is_told_is_known() -> None:
    found = {name: KINDS[name].told_on(Digits) for name in METHODS}
    told = {t: {name for name in METHODS if found[name] == t} for t in TRACKS}
    assert told["reference"] == {
        *("random_init", "pixels", "supervised", "oracle_latents")
    }
    assert told["augmentations"] == {
        *("barlow_twins", "byol", "moco_v3", "simclr", "simsiam"),
        *("spectral_contrastive", "vicreg", "simclr_resnet", "lejepa_vit"),
    }
    assert told["causes"] == {"lejepa", "linear_views"}
    assert told["labels"] == set()
    redrawn = {
        name for name in METHODS if KINDS[name].told_on(GaussianTree) == "causes"
    }
    # Its views are crops on every world.
    apart = {"simclr_resnet", "lejepa_vit"}
    assert redrawn == (told["augmentations"] - apart) | told["causes"]


@pytest.mark.parametrize("name", METHODS)
def test_it_is_shown_no_more_than_its_track_says(name: str) -> None:
    dataset, method = built(name)
    if not method.trains or method.told_on(type(dataset)) != "pixels":
        return
    batch = dataset.sample(12, stream(1))
    bare = Batch(batch.images, {}, None)
    given, without = (method.prepare(b, stream(2)) for b in (batch, bare))
    torch.testing.assert_close(given, without, rtol=0, atol=0)


@pytest.mark.parametrize("name", METHODS)
def test_it_is_built_from_its_generator_alone(name: str) -> None:
    (_, one), (_, two) = built(name), built(name)
    torch.manual_seed(7)
    (_, three), (_, other) = built(name), built(name, seed=1)
    for key, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[key])
        assert torch.equal(weight, three.state_dict()[key])
        constant = bool((weight == weight.flatten()[0]).all())
        assert torch.equal(weight, other.state_dict()[key]) == constant, key


@pytest.mark.parametrize("name", sorted({*METHODS} - {*TRAINED}))
def test_if_it_does_not_train_it_says_so(name: str) -> None:
    dataset, method = built(name)
    with pytest.raises(TypeError, match=f"{KINDS[name].__name__} has nothing to learn"):
        method.loss(dataset.sample(2, stream(1)), stream(2))
    # The floor is a ViT, with weights that nothing moves.
    assert isinstance(method, ViTMethod) or not list(method.parameters())


def moved(method: Method, loss: Tensor) -> None:
    """A gradient has reached every weight that is trained."""
    loss.backward()
    for key, weight in method.named_parameters():
        if weight.requires_grad:
            assert weight.grad is not None, f"{key} has no gradient"
            assert weight.grad.isfinite().all()
            assert weight.grad.abs().max() > 0, f"{key} has a gradient of 0"


@pytest.mark.parametrize("name", TRAINED)
def test_its_loss_is_finite_and_moves_every_weight(name: str) -> None:
    dataset, method = built(name)
    loss = method.loss(dataset.sample(16, stream(1)), stream(2))
    assert loss.shape == ()
    assert loss.isfinite()
    moved(method, loss)


@pytest.mark.parametrize("name", TRAINED)
def test_its_loss_is_drawn_from_its_generator_alone(name: str) -> None:
    dataset, method = built(name)
    batch, noise = dataset.sample(16, stream(1)), stream(2)
    before = torch.random.get_rng_state()
    one, two, other = (method.loss(batch, stream(k)).item() for k in (2, 2, 3))
    assert one == two
    method.prepare(batch, noise)
    draws = not torch.equal(noise.get_state(), stream(2).get_state())
    assert (one != other) == draws
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", TRAINED)
def test_half_precision_changes_its_loss_by_its_rounding_only(name: str) -> None:
    dataset, method = built(name)
    batch = dataset.sample(16, stream(1))
    exact = method.loss(batch, stream(2)).item()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = method.loss(batch, stream(2))
    assert rounded.item() == pytest.approx(exact, rel=0.02, abs=0.005)
    moved(method, rounded)


@pytest.mark.parametrize("name", [n for n in TRAINED if hasattr(KINDS[n], "compare")])
def test_in_half_precision_it_compares_in_full(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, method = built(name)
    honest, seen = method.compare, []

    def compare(one: Tensor, two: Tensor) -> Tensor:
        seen.append((one, two, honest(one, two)))
        return seen[-1][2]

    monkeypatch.setattr(method, "compare", compare)
    with torch.autocast("cpu", torch.bfloat16):
        method.loss(dataset.sample(16, stream(1)), stream(2))
    assert seen
    for one, two, found in seen:
        assert one.dtype == two.dtype == torch.float32
        assert torch.equal(found, honest(one, two))


@pytest.mark.parametrize("name", [name for name in TRAINED if name not in WAIT])
def test_a_step_never_waits_for_a_number(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU computes is not looked at: that would make the CPU wait for it."""
    dataset, method = built(name)

    def look(*_: object) -> None:
        raise AssertionError("the step looks at a tensor's value")

    for word in ("item", "__bool__", "__int__", "__float__", "__index__", "tolist"):
        monkeypatch.setattr(Tensor, word, look)
    batch = dataset.sample(16, stream(1))
    method.loss(batch, stream(2)).backward()


def test_where_its_own_weights_make_the_targets_and_none_differ_its_loss_is_no_judge():
    # The keys of MoCo v3 are told apart, so a collapsed encoder has a high loss.
    moving = {*MOMENTUM, "simsiam"} - {"moco_v3"}
    by_rank = {name for name in TRAINED if KINDS[name].judged_by == "rank"}
    assert by_rank == moving == {"byol", "simsiam", "i_jepa", "data2vec"}


@pytest.mark.parametrize("name", METHODS)
def test_its_settings_are_scalars_and_complete(name: str) -> None:
    known = registry.settings(KINDS[name])
    for value in known.values():
        assert isinstance(value, str | int | float | bool | None)
    assert {"steps", "batch_size"} <= known.keys()


@pytest.mark.parametrize("name", VITS)
def test_its_encoder_starts_where_every_other_does(name: str) -> None:
    (dataset, method), (_, floor) = built(name), built("random_init")
    start = floor.encoder.state_dict()
    for key, weight in method.encoder.state_dict().items():
        assert torch.equal(weight, start[key]), key
    batch, ids = dataset.sample(6, stream(1)), torch.arange(4).expand(6, -1)
    for keep in (None, ids):
        ours, theirs = method.features(batch, keep), floor.features(batch, keep)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[token], theirs[token]) for token in theirs)


@pytest.mark.parametrize("name", [name for name in VITS if name not in NO_CODE])
def test_its_bottleneck_is_read_and_learns(name: str) -> None:
    dataset, method = built(name, bottleneck=3)
    batch = dataset.sample(6, stream(1))
    assert method.features(batch)["code"].shape == (6, 3)
    if method.trains:
        moved(method, method.loss(batch, stream(2)))
        assert method.encoder.code.weight.grad is not None


@pytest.mark.parametrize("name", MOMENTUM)
def test_its_copies_start_equal_and_follow_by_a_momentum_that_grows_to_1(
    name: str,
) -> None:
    _, method = built(name, steps=10, momentum=0.6)
    weights = dict(method.named_parameters())
    copies = {key: key.removeprefix("momentum_") for key in weights}
    copies = {slow: fast for slow, fast in copies.items() if slow != fast}
    assert len(copies) >= len(list(method.encoder.parameters()))
    for slow, fast in copies.items():
        assert torch.equal(weights[slow], weights[fast])
        assert not weights[slow].requires_grad
    with torch.no_grad():
        for fast in copies.values():
            weights[fast] += 0.1 * torch.randn(weights[fast].shape, generator=stream(4))
    for step, momentum in ((0, 0.6), (5, 0.8), (10, 1.0)):
        before = {slow: weights[slow].clone() for slow in copies}
        method.follow(weights, step)
        for slow, fast in copies.items():
            wanted = momentum * before[slow] + (1 - momentum) * weights[fast]
            torch.testing.assert_close(weights[slow], wanted)


@pytest.mark.parametrize("momentum", [-0.1, 1.5])
@pytest.mark.parametrize("name", MOMENTUM)
def test_a_momentum_that_is_no_share_is_refused(name: str, momentum: float) -> None:
    with pytest.raises(ValueError, match=f"momentum {momentum} is no share of the old"):
        built(name, momentum=momentum)
