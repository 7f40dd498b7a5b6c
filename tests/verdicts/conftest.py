"""An experiment on one axis, its rows, and a forecast of their order."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

RATIOS = (0.1, 0.25, 0.5, 0.75, 0.9)


@pytest.fixture
def experiment():
    """Of two factors, of which its rows have one."""
    factors = {"mask_ratio": RATIOS, "depth": (1, 2)}
    return SimpleNamespace(id="mask_ratio", factors=factors)


@pytest.fixture
def measured():
    """Its rows: a value a mask ratio, with a little noise."""

    def draw(picture, seeds=5, noise=0.01, **columns):
        rng = np.random.default_rng(0)
        rows = [
            {
                "experiment": "mask_ratio",
                "dataset": "world",
                "method": "mae",
                "tier": "planted",
                "mask_ratio": ratio,
                "depth": 1.0,
                "seed": seed,
                "metric": "mcc",
                "view": "unmasked",
                "token": "mean",
                "target": "level_0",
                "value": value + noise * rng.standard_normal(),
                "status": "ok",
                "reason": "",
                "cell": f"{ratio}/{seed}/{columns}",
                **columns,
            }
            for seed in range(seeds)
            for ratio, value in zip(RATIOS, picture, strict=True)
        ]
        return pd.DataFrame(rows)

    return draw


@pytest.fixture
def forecast(experiment):
    """A theory's order of the experiment's points, by a score."""
    return lambda score: SimpleNamespace(
        experiment=experiment,
        metric=SimpleNamespace(id="mcc"),
        where={"method": "mae"},
        score=score,
    )
