"""Rows of several metrics along one factor."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def tidy() -> Callable[..., pd.DataFrame]:
    """Rows of metrics whose values are tables ``[seeds, points]``."""

    def melt(along: str, **tables: np.ndarray) -> pd.DataFrame:
        return pd.concat(
            pd.DataFrame(table)
            .rename_axis("seed")
            .reset_index()
            .melt("seed", var_name=along, value_name="value")
            .assign(metric=name)
            for name, table in tables.items()
        )

    return melt
