"""What an equality and an equivalence share, on effects as they are."""

import numpy as np
import pandas as pd

from mae_bench.predictions.equality import Equality
from mae_bench.records.strength import ANYTIME

FORM = Equality(0.2, {"x": 1}, 0.0)


def test_support_is_the_weaker_side_and_a_refutation_the_stronger():
    effects = pd.DataFrame({"a": [0.02, -0.03, 0.05, 0.01, 0.0]})
    x = effects["a"].to_numpy()
    sides = ANYTIME.above(x, -0.2), ANYTIME.above(-x, -0.2)
    assert FORM.support(effects, 0.2) == min(sides)
    far = effects + 1.0
    assert FORM.refute(far, 0.2) == ANYTIME.above(far["a"], 0.2)
    assert (FORM.kind(far), FORM.kind(-far)) == ("above", "below")


def test_nothing_is_more_nought_than_a_control():
    effects = pd.DataFrame({"a": np.zeros(5)})
    assert FORM.beyond(effects, effects + 1.0) == 1.0
