from dataclasses import fields

import pytest

from mae_bench.records import registry
from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.planted_nulls import CHOSEN, PLANTED_NULLS
from mae_bench.verdicts.planting import RECIPES

NULLS = PLANTED_NULLS.predictions
CLAIMS = {
    f"null-{claim.split('/')[1]}": (recipe, *claim.split("/"))
    for recipe, claims in CHOSEN.items()
    for claim in claims
}


def test_there_are_nulls_of_every_form_and_of_every_recipe() -> None:
    assert NULLS.keys() == CLAIMS.keys()
    assert len(NULLS) == sum(map(len, CHOSEN.values())) > 30
    forms = {type(null.form).__name__.lower() for null in NULLS.values()}
    assert forms == set(registry.names("predictions"))
    assert CHOSEN.keys() == RECIPES.keys()


@pytest.mark.parametrize("number", NULLS)
def test_a_null_is_a_claim_of_which_only_rows_and_words_are_other(number: str) -> None:
    recipe, theory, claim = CLAIMS[number]
    null, real = NULLS[number], registry.load("theories", theory).predictions[claim]
    assert null.planted == recipe
    assert not real.planted
    other = {f.name for f in fields(null)} - {
        *("claim", "place", "planted", "converged", "ceiling")
    }
    assert all(getattr(null, name) == getattr(real, name) for name in other)
    assert real.claim in null.claim


@pytest.mark.parametrize(
    ("number", "theory", "value"),
    [
        ("LW2", "deep_linear_dynamics", 2.0),
        ("L1", "conditional_independence", 0.0),
    ],
)
def test_what_supports_a_claim_does_not_support_its_null(
    number: str, theory: str, value: float, judged
) -> None:
    def found(_: Cell, factors: Settings) -> dict[str, float] | float:
        if number == "LW2":
            return value if factors["objective"] == "jepa" else 0.0
        return {"exact": value, "bayes": factors["strength"]}

    real = registry.load("theories", theory).predictions
    assert judged(real, number, found) == "supported"
    assert judged(NULLS, f"null-{number}", found) in ("refuted", "undecided")
