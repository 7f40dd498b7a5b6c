import pytest
import torch

from mae_bench.datasets.gaussian_field import exponential
from mae_bench.experiments.cumulative_score import CUMULATIVE_SCORE
from mae_bench.oracles.cumulative_score import mean_log_likelihoods, scores
from mae_bench.oracles.masked_likelihood import chain
from mae_bench.records.schema import TIERS


def test_the_losses_that_are_quoted_are_the_exact_ones() -> None:
    cell, _ = next(CUMULATIVE_SCORE.cells(TIERS["quick"], range(1)))
    length = cell.dataset_settings["length"]
    assert cell.dataset_settings["spectrum"] == "exponential"
    phis = torch.linspace(0.4, 0.75, 141).tolist()
    models = torch.stack([chain(9, phi)[0] for phi in phis])
    found = mean_log_likelihoods(models, exponential(3, float(length)))  # type: ignore[arg-type]
    whole, sizes = found[:, -1], scores(found)
    lost = [
        (whole.max() - whole[sizes[:, m - 1].argmax()]).item() for m in (1, 3, 7, 8)
    ]
    assert lost == pytest.approx([0.02, 0.01, 0.11, 0.37], abs=0.006)


def test_every_size_is_of_the_same_images() -> None:
    cells = list(CUMULATIVE_SCORE.cells(TIERS["quick"], range(1)))
    assert len({cell.stream("init") for cell, _ in cells}) == 1
