"""What we expect: the forms that a claim can take, pure statistics on rows.

A form looks at tidy rows (``seed``, ``value``, factor columns) and gives one effect a
seed, turned so that positive is what is claimed, in the metric's unit. The judge
makes an interval over seeds of it and holds it against the form's margin.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from mae_bench.schema import Setting


@dataclass(frozen=True)
class Form(ABC):
    """A form of claim.

    Args:
        margin: The smallest effect that would matter, stated before any data is
            seen; in the metric's unit.
    """

    margin: float

    @abstractmethod
    def effects(self, rows: pd.DataFrame) -> pd.Series[float]:
        """One effect a seed (index ``seed``); seeds that lack a row are left out."""


@dataclass(frozen=True)
class Control:
    """Where the claim must not hold.

    Args:
        where: Row filters that replace the prediction's own, e.g. another method.
        shuffle: A factor whose values are permuted within each seed.
        reason: Why the claim must fail there.
    """

    reason: str
    where: Mapping[str, Setting] = field(default_factory=dict)
    shuffle: str | None = None
