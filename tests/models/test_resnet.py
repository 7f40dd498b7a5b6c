"""ResNet-18: shapes, parameters, names, and what its features depend on."""

import pytest
import torch

from mae_bench.models.resnet import ResNet18


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_has_the_parameters_of_the_paper_and_the_stem_of_cifar() -> None:
    net = ResNet18(rng())
    count = sum(p.numel() for p in net.parameters())
    # torchvision's 11,689,512, without its classes, and with 3 x 3 in place of 7 x 7.
    assert count == 11_689_512 - 513_000 - 64 * 3 * (49 - 9) == 11_168_832


def test_its_weights_have_the_names_that_public_ones_have() -> None:
    names = {*ResNet18(rng()).state_dict()}
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"conv1.weight", *(f"bn1.{n}" for n in norm)}
    for layer in (1, 2, 3, 4):
        for block in (0, 1):
            home = f"layer{layer}.{block}"
            for k in (1, 2):
                expected |= {f"{home}.conv{k}.weight"}
                expected |= {f"{home}.bn{k}.{n}" for n in norm}
        if layer > 1:
            down = f"layer{layer}.0.downsample"
            expected |= {f"{down}.0.weight", *(f"{down}.1.{n}" for n in norm)}
    assert names == expected
    assert len(names) == 120


@pytest.mark.parametrize(("side", "places"), [(32, 16), (8, 1), (28, 16)])
def test_a_map_of_an_eighth_of_the_side_is_read_by_its_mean(
    side: int, places: int
) -> None:
    net = ResNet18(rng(), channels=1).eval()
    with torch.inference_mode():
        tokens = net(torch.randn(2, 1, side, side, generator=rng(1)))
        (name, read), *rest = net.readout(tokens).items()
    assert tokens.shape == (2, places, 512)
    assert (name, rest) == ("mean", [])
    torch.testing.assert_close(read, tokens.mean(1))


def test_a_block_is_its_equation() -> None:
    block = ResNet18(rng()).layer2[0].eval()
    with torch.no_grad():
        for norm in (block.bn1, block.bn2, block.downsample[1]):
            norm.running_mean.normal_(generator=rng(1))
            norm.running_var.uniform_(0.5, 2, generator=rng(2))
            norm.weight.normal_(generator=rng(3))
        x = torch.randn(1, 64, 4, 4, generator=rng(4))

        def normed(norm: torch.nn.BatchNorm2d, h: torch.Tensor) -> torch.Tensor:
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            shift = norm.bias - norm.running_mean * scale
            return h * scale[:, None, None] + shift[:, None, None]

        conv = torch.nn.functional.conv2d
        h = normed(block.bn1, conv(x, block.conv1.weight, stride=2, padding=1)).relu()
        h = normed(block.bn2, conv(h, block.conv2.weight, padding=1))
        short = conv(x, block.downsample[0].weight, stride=2)
        expected = (h + normed(block.downsample[1], short)).relu()
        torch.testing.assert_close(block(x), expected, rtol=1e-4, atol=1e-4)


def test_it_is_built_from_its_generator_alone() -> None:
    torch.manual_seed(3)
    one, two, other = (ResNet18(rng(seed)).conv1.weight for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
