"""The loss is of class tokens: they come first, and the mean stands beside them."""

import pytest

from mae_bench.records.schema import Cell, Settings
from mae_bench.theories.claims.uniformity_loss import UNIFORMITY_LOSS
from mae_bench.theories.mask_graph_alignment import MASK_GRAPH_ALIGNMENT

GAINS = [number for number in UNIFORMITY_LOSS if number.startswith("Z6")]


def test_they_are_among_the_theorys() -> None:
    assert UNIFORMITY_LOSS.items() <= MASK_GRAPH_ALIGNMENT.predictions.items()


@pytest.mark.parametrize("number", GAINS)
def test_a_gain_of_one_token_speaks_for_its_own_claim_alone(
    number: str, judged
) -> None:
    own = UNIFORMITY_LOSS[number].where["token"]
    assert own == ("mean" if number.endswith("-mean") else "cls")

    def told(token: str) -> str:
        def accuracy(
            cell: Cell, factors: Settings
        ) -> dict[tuple[str, str, str], float]:
            known = factors.get("lamb", cell.method)
            gain = 0.05 if known in (0.01, "u_mae") else 0.0
            return {
                ("linear_probe", t, ""): 0.6 + gain * (t == token)
                for t in ("cls", "mean")
            }

        return judged(UNIFORMITY_LOSS, number, accuracy)

    verdicts = {token: told(token) for token in ("cls", "mean")}
    other = "cls" if own == "mean" else "mean"
    assert verdicts == {own: "supported", other: "refuted"}
