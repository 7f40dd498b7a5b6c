import pytest
import torch
from torch import Tensor, nn

from mae_bench.encoders.sweep import encoders_of
from mae_bench.encoders.swept import World, measure_sweep, worlds_of
from mae_bench.records import registry
from mae_bench.records.own_rows import own_rows
from mae_bench.records.schema import UsageError

LEVELS = {"mask_ratio": ["0.25", "0.75"]}


@pytest.fixture(scope="module")
def theories():
    names = ["hierarchical_latents", "visible_share", "mask_graph_alignment"]
    return registry.load_all("theories", names)


class Some(nn.Module):
    """The first pixels, and more of them the more was visible."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, : self.width]


def make(mask_ratio: float, seed: int) -> nn.Module:
    del seed
    return Some(int(64 * (1 - mask_ratio)))


def test_worlds_are_those_of_predictions_and_their_controls(theories) -> None:
    found = worlds_of(theories, ["mask_ratio"])
    by_name = {world.dataset: world for world in found}
    assert {"gaussian_tree", "ising"} <= by_name.keys()
    # The control's spins are those of the experiment, not of the leaderboard.
    assert by_name["ising"].settings["coupling"] == 0.0
    assert by_name["ising"].metrics == {"class_similarity"}
    assert "linear_r2" in by_name["gaussian_tree"].metrics
    # K5 is of encoders that are shown their own masks.
    assert not any("knowable_share" in world.metrics for world in found)


def test_what_is_asked_for_alone_is_shown_alone(theories) -> None:
    (world,) = worlds_of(theories, ["mask_ratio"], ["visible_share/N1"])
    assert (world.dataset, world.metrics) == ("gaussian_tree", {"linear_r2"})
    assert world.experiments == {"mask_ratio"}
    (only,) = worlds_of(theories, ["mask_ratio"], datasets=["ising"])
    assert only.dataset == "ising"


@pytest.mark.parametrize(
    ("factors", "wanted", "datasets", "message"),
    [
        (["bottleneck"], [], [], "no prediction along bottleneck: not to be read of"),
        (
            ["mask_ratio"],
            ["hierarchical_latents/K5"],
            [],
            "latents/K5 along mask_ratio",
        ),
        (["mask_ratio"], [], ["mnist"], "along mask_ratio in mnist: .* along .*lamb"),
    ],
)
def test_what_cannot_be_read_of_an_encoder_alone_is_refused(
    theories, factors, wanted, datasets, message
) -> None:
    with pytest.raises(UsageError, match=message):
        worlds_of(theories, factors, wanted, datasets)


def test_every_encoder_is_asked_on_the_images_of_its_seed() -> None:
    settings = registry.settings(registry.load("datasets", "gaussian_tree"))
    world = World("gaussian_tree", settings, {"symmetry", "mask_ratio"}, {"linear_r2"})
    told: list[str] = []
    rows, failed = measure_sweep(
        encoders_of(make, LEVELS, range(2)),
        [world],
        tier="smoke",
        device="cpu",
        told=told.append,
    )
    assert failed == {}
    assert told[-1] == "4/4 mask_ratio 0.75, seed 1"
    rows = own_rows(rows)
    assert set(rows["experiment"]) == {"symmetry", "mask_ratio"}
    assert set(rows["dataset"]) == {"gaussian_tree"}
    root = rows[(rows["target"] == "level_0") & rows["token"].isin(["mean"])]
    assert len(root) == 8
    value = root.groupby(["mask_ratio", "seed"])["value"].mean()
    assert (value[0.25] > value[0.75]).all()
    assert value[0.25][0] != value[0.25][1]


def test_what_fails_is_told_with_its_reason() -> None:
    settings = registry.settings(registry.load("datasets", "gaussian_tree"))
    world = World("gaussian_tree", settings, {"mask_ratio"}, {"linear_r2"})

    def lame(mask_ratio: float, seed: int) -> nn.Module:
        net = Some(64)
        if mask_ratio > 0.5 and seed == 1:
            net.forward = lambda x: x.flatten(1) * torch.nan
        return net

    encoders = encoders_of(lame, LEVELS, range(2))
    rows, failed = measure_sweep(encoders, [world], tier="smoke", device="cpu")
    assert list(failed) == ["gaussian_tree, mask_ratio 0.75, seed 1"]
    assert "NaN" in failed["gaussian_tree, mask_ratio 0.75, seed 1"]
    assert len(own_rows(rows)["cell"].unique()) == 3


def test_copies_of_one_encoder_are_no_sweep() -> None:
    settings = registry.settings(registry.load("datasets", "gaussian_tree"))
    world = World("gaussian_tree", settings, {"mask_ratio"}, {"linear_r2"})

    def copied(mask_ratio: float, seed: int) -> nn.Module:
        del mask_ratio
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))

    encoders = encoders_of(copied, LEVELS, range(1))
    said = (
        r"copied\(mask_ratio=0.75, seed=0\) has the weights of copied\(mask_ratio=0.25"
    )
    with pytest.raises(UsageError, match=said):
        measure_sweep(encoders, [world], tier="smoke", device="cpu")
