import pytest

from mae_bench.theories.claims.mode_networks import NETWORKS


@pytest.fixture
def seen(judged):
    """Verdict if MAE is blind, and cured by other masks."""

    def verdict(number, blind=0.95, cured=0.7, open_eyed=0.7, excess=0.001):
        def measured(cell, factors):
            weight = cured
            if cell.method == "mae":
                weight = blind if factors["mask_ratio"] == 0.75 else open_eyed
            return {
                "weight": weight,
                "error": abs(weight - 0.7),
                "excess": excess,
                "excess_blind": 0.5,
            }

        return judged(NETWORKS, number, measured)

    return verdict


@pytest.mark.parametrize("number", NETWORKS)
def test_blind_networks_support_every_claim(number, seen):
    assert seen(number) == "supported"


@pytest.mark.parametrize("number", ["MB-network", "MB-network-uniform"])
def test_a_network_that_knows_the_weight_refutes(number, seen):
    assert seen(number, blind=0.72) == "refuted"
    # Whoever was never shown a full mask is as wrong: blindness is not why.
    assert seen(number, open_eyed=0.95) == "void"


def test_a_cure_that_does_not_work_and_a_loss_far_from_the_best_refute(seen):
    assert seen("MB-network-repair", cured=0.5) == "refuted"
    assert seen("MB-network-loss", excess=0.05) == "refuted"
