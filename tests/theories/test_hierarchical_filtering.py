import pytest

from mae_bench.theories.hierarchical_filtering import HIERARCHICAL_FILTERING

PREDICTIONS = HIERARCHICAL_FILTERING.predictions


def passing(steps):
    """Distances of a network that is each decoder in its turn."""
    siblings, root = min(1.0, steps / 1500), max(0.0, min(1.0, (steps - 1500) / 4000))
    return {
        "kl_cut_2": 2 * siblings,
        "kl_cut_1": (1 - siblings) + 0.5 * root,
        "kl_full": (1 - siblings) + 0.3 * (1 - root),
        "share": 3.4 * (1 - siblings) + (1 - root),
    }


def at_once(steps):
    """Distances of a network that learns all levels together."""
    done = min(1.0, steps / 24_000)
    return {
        "kl_cut_2": 2 * done,
        "kl_cut_1": 1 - 0.5 * done,
        "kl_full": 1.3 * (1 - done),
        "share": 4.4 * (1 - done),
    }


@pytest.fixture
def seen(judged):
    def verdict(number, network=passing):
        def measured(_, factors):
            return network(factors["steps"] * factors["stop"])

        return judged(PREDICTIONS, number, measured)

    return verdict


@pytest.mark.parametrize("number", PREDICTIONS)
def test_a_network_that_is_each_decoder_in_its_turn_supports_every_claim(number, seen):
    assert seen(number) == "supported"


@pytest.mark.parametrize("number", ["GB2", "GB2-second"])
def test_a_network_that_learns_all_levels_together_refutes(number, seen):
    assert seen(number, at_once) == "refuted"


def test_a_network_that_stays_without_the_root_refutes(seen):
    def stuck(steps):
        return passing(min(steps, 1500))

    for number in ("GB1", "GB1-reach", "GB2-third"):
        assert seen(number, stuck) == "refuted"


def test_a_network_that_begins_with_the_siblings_refutes(seen):
    assert seen("GB2-first", lambda steps: passing(steps + 1400)) != "supported"
