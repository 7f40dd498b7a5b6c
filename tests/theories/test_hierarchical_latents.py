import pytest

from mae_bench.theories.claims.abstraction import ABSTRACTION
from mae_bench.theories.claims.identifiability import IDENTIFIABILITY
from mae_bench.theories.claims.location import LOCATION
from mae_bench.theories.hierarchical_latents import HIERARCHICAL_LATENTS


def test_its_claims_are_those_of_three_pages() -> None:
    pages = {**IDENTIFIABILITY, **ABSTRACTION, **LOCATION}
    assert HIERARCHICAL_LATENTS.predictions == pages


def test_the_grid_is_ordered_by_what_c_holds_beside_the_root() -> None:
    _, forecast = HIERARCHICAL_LATENTS.forecasts

    def score(ratio: float, unit: int, family: str, dataset: str) -> float | None:
        at = {"mask_ratio": ratio, "mask_unit": unit, "mask_family": family}
        return forecast.score({"dataset": dataset, **at})

    for world in ("gaussian_tree", "random_hierarchy"):
        assert score(0.75, 4, "random", world) == -1  # the root alone
        assert score(0.125, 2, "aligned", world) == -2  # and a quarter
        assert score(0.75, 2, "grid", world) == -5  # and all of them
        # A mask and its complement share the same: the order is no trend in the ratio.
        low, middle, high = (score(r, 2, "random", world) for r in (0.125, 0.5, 0.875))
        assert low == pytest.approx(high)
        assert middle < low
    assert score(0.75, 4, "random", "digits") is None
