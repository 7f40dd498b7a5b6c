"""Anyone's network; holds A11, A17 and C4 of what was found by using it."""

from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from mae_bench.datasets import Batch
from mae_bench.datasets.digits import Digits
from mae_bench.encoders.outsider import (
    Outsider,
    Reader,
    channels_of,
    image_size_of,
    prefix_of,
    threads,
    tokens_of,
)
from mae_bench.models.vit import ViT
from mae_bench.records.schema import UsageError


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def vit(cls_token: bool = True, channels: int = 3) -> ViT:
    sizes = {"image_size": 12, "channels": channels, "patch_size": 4}
    width = {"embed_dim": 8, "depth": 1, "num_heads": 2}
    return ViT(stream(), **sizes, **width, cls_token=cls_token).eval()


class Asked(nn.Module):
    """Remembers what it was shown, and says its mean a channel."""

    def __init__(self, **says) -> None:
        super().__init__()
        self.shown: list[Tensor] = []
        for name, value in says.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        self.shown.append(x)
        return x.mean((2, 3))


TOKENS = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))


@dataclass
class Output:
    last_hidden_state: Tensor


@pytest.mark.parametrize(
    "found",
    [
        TOKENS,
        Output(TOKENS),
        {"last_hidden_state": TOKENS, "pooler_output": TOKENS[:, 0]},
        OrderedDict(last_hidden_state=TOKENS),
        TOKENS.double(),
    ],
)
def test_tokens_give_the_mean_of_the_patches_and_the_class_token(found):
    said = tokens_of(found, 4)
    assert list(said) == ["mean", "cls"]
    for n in range(4):
        rows = [TOKENS[n, t] for t in range(1, 6)]
        assert torch.allclose(said["mean"][n], sum(rows) / 5, atol=1e-6)
        assert torch.allclose(said["cls"][n], TOKENS[n, 0])


def test_tokens_without_a_class_token_or_with_more_before_the_patches():
    assert list(tokens_of(TOKENS, 4, 0)) == ["mean"]
    assert torch.allclose(tokens_of(TOKENS, 4, 0)["mean"], TOKENS.mean(1))
    assert torch.allclose(tokens_of(TOKENS, 4, 5)["mean"], TOKENS[:, 5])
    assert torch.equal(tokens_of(TOKENS[:, :1], 4)["mean"], TOKENS[:, 0])
    assert torch.equal(tokens_of(TOKENS[:, 0], 4)["mean"], TOKENS[:, 0])


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (torch.zeros(4, 2, 3, 4), r"\[4, 2, 3, 4\]"),
        (torch.zeros(4, 2, 3, 3, 3), r"\[4, 2, 3, 3, 3\]"),
        (torch.zeros(3, 2), r"\[3, 2\]"),
        (torch.zeros(4), r"\[4\]"),
        ((TOKENS, TOKENS), "tuple"),
        ({"logits": TOKENS}, "dict"),
        (None, "NoneType"),
    ],
)
def test_what_no_probe_can_read_is_refused_with_its_shape(found, what):
    with pytest.raises(UsageError, match=f"for 4 images is {what}; expected"):
        tokens_of(found, 4)


def test_maps_are_pooled_wherever_their_channels_are():
    maps = torch.randn(4, 5, 3, 3, generator=stream())
    mean = torch.stack([maps[..., i, j] for i in range(3) for j in range(3)]).mean(0)
    for found in (maps, maps.permute(0, 2, 3, 1), Output(maps), maps.double()):
        said = tokens_of(found, 4)
        assert list(said) == ["mean"]
        assert torch.allclose(said["mean"], mean, atol=1e-6)
    # As wide as they are high: channels come first, as torch has them.
    cube = torch.randn(4, 3, 3, 3, generator=stream())
    assert torch.allclose(tokens_of(cube, 4)["mean"], cube.mean((2, 3)))


def test_registers_are_neither_patches_nor_a_class_token():
    assert list(tokens_of(TOKENS, 4, 2, 2)) == ["mean"]
    assert torch.allclose(tokens_of(TOKENS, 4, 2, 2)["mean"], TOKENS[:, 2:].mean(1))
    said = tokens_of(TOKENS, 4, 3, 2)
    assert torch.allclose(said["cls"], TOKENS[:, 0])
    assert torch.allclose(said["mean"], TOKENS[:, 3:].mean(1))


def holding(**shapes: tuple[int, ...]) -> nn.Module:
    """A network inside of another, with such parameters."""
    net = Asked()
    net.embeddings = nn.Module()
    for name, shape in shapes.items():
        setattr(net.embeddings, name, nn.Parameter(torch.zeros(shape)))
    return net


@pytest.mark.parametrize(
    ("net", "prefix"),
    [
        (holding(cls_token=(1, 1, 3), mask_token=(1, 3)), (1, 0)),
        (holding(cls_token=(1, 1, 3), register_tokens=(1, 4, 3)), (5, 4)),
        (holding(cls_token=(1, 1, 3), distillation_token=(1, 1, 3)), (2, 0)),
        (holding(reg_token=(1, 4, 3)), (4, 4)),
        (holding(class_embedding=(3,)), (1, 0)),
        (holding(weight=(3, 3)), None),
        (Asked(num_prefix_tokens=0), (0, 0)),
        (Asked(num_prefix_tokens=5, reg_token=nn.Parameter(TOKENS[:1, :4])), (5, 4)),
    ],
)
def test_tokens_before_the_patches_are_counted_where_they_are_named(net, prefix):
    assert prefix_of(net) == prefix


@pytest.mark.parametrize(("count", "prefix"), [(10, 1), (9, 0), (7, 0)])
def test_what_nobody_says_of_tokens_is_assumed_aloud_and_once(count, prefix):
    lines: list[str] = []
    tokens = torch.randn(2, count, 3, generator=stream())
    reader = Reader(Asked(forward_features=lambda _: tokens), told=lines.append)
    said = reader(torch.zeros(2, 1, 4, 4))
    reader(torch.ones(2, 1, 4, 4))
    assert torch.allclose(said["mean"], tokens[:, prefix:].mean(1))
    assert ("cls" in said) == bool(prefix)
    (line,) = lines
    assert line.startswith(f"assumed num_prefix_tokens {prefix} among {count} tokens")


def test_a_network_that_says_it_is_not_told_of():
    lines: list[str] = []
    net = Asked(forward_features=lambda _: TOKENS, num_prefix_tokens=1)
    Reader(net, told=lines.append)(torch.zeros(4, 1, 4, 4))
    Reader(Asked(), told=lines.append)(torch.zeros(4, 1, 4, 4))
    assert not lines


def test_a_world_frees_what_was_said_of_the_last_unless_it_is_the_same():
    net = Asked()
    reader = Reader(net)
    one, two = torch.rand(2, 5, 1, 4, 4, generator=stream())
    for first, asked in ((one, 2), (one, 2), (two, 4), (one, 6)):
        reader.begin()
        for images in (first, first + 1):
            reader(images)
        assert len(net.shown) == asked
        assert len(reader._said) == 2
    reader.forget()
    assert not reader._said


def test_a_vit_of_ours_gives_its_own_readout_in_any_chunks():
    net, images = vit(), torch.randn(230, 3, 12, 12, generator=stream(1))
    said = Reader(net)(images)
    with torch.no_grad():
        expected = net.readout(net(images))
    assert list(said) == ["mean", "cls"]
    # Normalised tokens of float32, after sums of some dozens of terms.
    assert all(torch.allclose(said[k], expected[k], atol=1e-5) for k in said)


def test_forward_features_is_asked_where_there_is_one():
    net = Asked(forward_features=lambda x: x.flatten(2), num_prefix_tokens=0)
    images = torch.randn(3, 2, 4, 4, generator=stream())
    said = Reader(net)(images)
    assert torch.equal(said["mean"], images.flatten(2).mean(1))
    assert not net.shown


def test_images_are_resized_and_grey_ones_get_three_channels():
    images = torch.rand(2, 1, 8, 8, generator=stream())
    shown = Reader(vit()).adapt(images)
    assert shown.shape == (2, 3, 12, 12)
    assert torch.equal(shown[:, 0], shown[:, 2])
    assert shown.mean().item() == pytest.approx(images.mean().item(), abs=0.02)
    # A plane stays one where it is resized bilinearly, but for its rim.
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    steps = Reader(Asked(), image_size=16).adapt(ramp)[0, 0, 5].diff()[1:-1]
    assert torch.allclose(steps, torch.full((13,), 0.5))
    small = Reader(Asked(), image_size=4).adapt(ramp)[0, 0, 1]
    assert torch.allclose(small[1:3], torch.tensor([2.5, 4.5]))


def test_every_pixel_has_a_say_in_a_smaller_image():
    images = torch.zeros(1, 1, 8, 8, requires_grad=True)
    shown = Reader(Asked(), image_size=2).adapt(images)
    (share,) = torch.autograd.grad(shown.sum(), images)
    assert (share > 0).all()


def test_coloured_images_are_averaged_for_a_grey_network():
    images = torch.rand(2, 3, 12, 12, generator=stream())
    shown = Reader(vit(channels=1)).adapt(images)
    assert torch.allclose(shown[:, 0], images.sum(1) / 3)


def test_images_as_they_should_be_are_not_touched():
    images = torch.rand(2, 3, 12, 12, generator=stream())
    assert Reader(vit()).adapt(images) is images
    assert Reader(Asked()).adapt(images) is images


def test_half_precision_is_given_and_single_is_taken():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).half()
    assert Reader(net)(torch.ones(2, 1, 2, 2))["mean"].dtype == torch.float32


@pytest.mark.parametrize(
    ("net", "size"),
    [
        (vit(), 12),
        (Asked(patch_embed=SimpleNamespace(img_size=(32, 32))), 32),
        (Asked(config=SimpleNamespace(image_size=24)), 24),
        (Asked(config=SimpleNamespace(image_size=[24, 24])), 24),
        (Asked(pretrained_cfg={"input_size": (3, 224, 224)}), 224),
        (Asked(config={"hidden_size": 3}), None),
        (Asked(), None),
    ],
)
def test_the_size_that_a_network_wants_is_found_where_it_says_it(net, size):
    assert image_size_of(net) == size
    assert Reader(net).image_size == size
    assert Reader(net, image_size=7).image_size == 7


def test_channels_are_those_of_the_first_convolution():
    assert channels_of(vit(channels=2)) == 2
    assert channels_of(nn.Sequential(nn.Conv2d(3, 5, 1), nn.Conv2d(5, 7, 1))) == 3
    assert channels_of(nn.Linear(3, 3)) is None


def test_a_network_is_frozen_and_asked_once_for_the_same_images():
    net = Asked(drop=nn.Dropout())
    net.weight = nn.Parameter(torch.ones(1))
    reader, images = Reader(net), torch.rand(5, 1, 8, 8, generator=stream())
    assert not net.training
    assert not net.weight.requires_grad
    first, again = reader(images), reader(images.clone())
    assert len(net.shown) == 1
    assert torch.equal(first["mean"], again["mean"])
    reader(images + 1)
    assert len(net.shown) == 2


def test_it_is_a_method_without_training_and_without_a_masked_view():
    world = Digits(stream())
    method = Outsider(world, stream(), Reader(vit()))
    batch = world.split("test", 3, stream())
    assert not method.trains
    assert method.features(batch)["mean"].shape == (3, 8)
    with pytest.raises(ValueError, match="no masked view"):
        method.features(Batch(batch.images), torch.zeros(3, 1, dtype=torch.int64))


def test_threads_are_lent_for_a_while() -> None:
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_a_network_is_asked_with_the_threads_that_it_was_frozen_with() -> None:
    seen: list[int] = []

    class Watched(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(torch.get_num_threads())
            return images.flatten(1)

    with threads(2):
        reader = Reader(Watched())
    with threads(1):
        reader(torch.rand(2, 1, 4, 4))
        assert torch.get_num_threads() == 1
    assert seen == [2]
