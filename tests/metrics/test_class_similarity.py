import pytest
import torch

from mae_bench.metrics import Split
from mae_bench.metrics.class_similarity import class_similarity


def measured(features: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    split = Split(features, labels)
    found: dict[str, float] = class_similarity(split, split, split)
    return found


def by_loops(features: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    sides: dict[str, list[float]] = {"intra": [], "inter": []}
    for i in range(len(labels)):
        for j in range(len(labels)):
            if i != j:
                cosine = torch.cosine_similarity(features[i], features[j], 0).item()
                sides["intra" if labels[i] == labels[j] else "inter"].append(cosine)
    means = {side: sum(values) / len(values) for side, values in sides.items()}
    return means | {"gap": means["intra"] - means["inter"]}


def test_it_is_the_mean_over_pairs_by_loops() -> None:
    stream = torch.Generator().manual_seed(0)
    features = torch.randn(14, 5, generator=stream).double() + 0.3
    features[5] = 0  # which is at a right angle to all
    labels = torch.randint(3, (14,), generator=stream)
    assert measured(features, labels) == pytest.approx(by_loops(features, labels))


def test_perfect_and_useless_features() -> None:
    labels = torch.arange(40) % 2
    perfect = torch.nn.functional.one_hot(labels).float()
    assert measured(perfect, labels) == {"intra": 1.0, "inter": 0.0, "gap": 1.0}
    noise = torch.randn(2000, 50, generator=torch.Generator().manual_seed(1))
    assert abs(measured(noise, torch.arange(2000) % 4)["gap"]) < 0.005


def test_a_common_offset_raises_both_and_says_nothing() -> None:
    stream = torch.Generator().manual_seed(2)
    features = torch.randn(200, 8, generator=stream) + 20
    found = measured(features, torch.arange(200) % 2)
    assert min(found["intra"], found["inter"]) > 0.9
    assert abs(found["gap"]) < 0.01


@pytest.mark.parametrize("labels", [torch.zeros(12).long(), torch.arange(12)])
def test_without_pairs_of_both_kinds_it_refuses(labels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="pairs of one class"):
        measured(torch.randn(12, 3), labels)
