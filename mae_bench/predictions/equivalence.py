"""There is no effect: what another form would measure is nought."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from mae_bench.predictions import Form
from mae_bench.predictions._two_sided import TwoSided


@dataclass(frozen=True)
class Equivalence(TwoSided):
    """The effect of another form is within the margin on both sides.

    Args:
        margin: Largest effect, of either sign, that would not matter.
        form: Whose effect; its own margin is not used.

    Raises:
        ValueError: The form's effect is not 0 where there is nothing: the harder of
            two ends of a line that is flat is below 0, an area under a curve is 1/2.
    """

    form: Form

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.form.signed:
            name = type(self.form).__name__
            raise ValueError(f"the effect of a {name} is not 0 where there is nothing")

    @property
    def quantity(self) -> str:
        """The form's."""
        return self.form.quantity

    def unit(self, metric: str) -> str:
        """The form's."""
        return self.form.unit(metric)

    def effects(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of the form, as far as its margin is for them."""
        found = self.form.effects(rows)
        return pd.DataFrame(self.form.parts(found), index=found.index)
