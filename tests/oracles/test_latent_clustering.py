"""Latents of a planted grammar are found from many strings, and from few are not."""

import pytest
import torch

from mae_bench.datasets.random_hierarchy import draw_rules
from mae_bench.oracles.latent_clustering import (
    CONTEXTS,
    cluster,
    name_tuples,
    recover,
    residuals,
    samples_needed,
    share_recovered,
    spell,
)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def grammar(m=4, v=6, depth=3, seed=0):
    generator = rng(seed)
    return [draw_rules("random", m, v, generator) for _ in range(depth)]


def test_strings_are_spelled_by_the_rules():
    rules = grammar()
    levels = spell(rules, 40_000, rng(1))
    assert [level.shape[1] for level in levels] == [1, 4, 16, 64]
    for rule, parent, child in zip(rules, levels, levels[1:], strict=False):
        said = rule[parent.long()].to(torch.uint8)
        tuples = child.view(*parent.shape, 1, 4)
        assert (said == tuples).all(-1).any(-1).all()
    # More than a block of them, each root and production as likely.
    share = levels[0].flatten().long().bincount() / 40_000
    assert share == pytest.approx(torch.full((6,), 1 / 6), abs=0.01)


def test_tuples_have_a_number_if_and_only_if_they_differ():
    symbols = torch.randint(3, (50, 8), generator=rng()).to(torch.uint8)
    numbers, count = name_tuples(symbols, 3, 4)
    rows = symbols.view(50, 2, 4).flatten(0, 1)
    same = (rows[:, None] == rows).all(2)
    assert torch.equal(same, numbers.flatten()[:, None] == numbers.flatten())
    assert count == len({tuple(r.tolist()) for r in rows})


def test_residuals_are_counted_place_by_place():
    tuples = torch.randint(3, (30, 8), generator=rng(1))
    heads = torch.randint(2, (30, 2, 4), generator=rng(2))
    found = residuals(tuples, 3, heads, 2)
    assert found.shape == (3, 4 * 3 * 2)
    # The first block: a group's first node, and its second sibling's symbol.
    seen = torch.zeros(3, 2, dtype=torch.float64)
    for string in range(30):
        for group in range(2):
            seen[tuples[string, 4 * group], heads[string, group, 1]] += 1
    expected = seen.sum(1, keepdim=True) * seen.sum(0) / 60
    torch.testing.assert_close(found[:, :2], (seen - expected) / expected.sqrt())


def test_residuals_of_contexts_that_tell_nothing_are_unit_noise():
    tuples = torch.randint(20, (20_000, 4), generator=rng(1))
    heads = torch.randint(5, (20_000, 1, 4), generator=rng(2))
    found = residuals(tuples, 20, heads, 5)
    # Of 5 counts that add to a known total 4 are free.
    assert found.square().mean().item() == pytest.approx(4 / 5, rel=0.1)


def test_a_share_is_1_of_the_truth_and_0_of_a_guess():
    generator = rng()
    truth = torch.randint(5, (4000,), generator=generator)
    tuples = truth * 6 + torch.randint(6, (4000,), generator=generator)
    classes = torch.arange(5).repeat_interleave(6)
    renamed = torch.randperm(5, generator=generator)[classes]
    assert share_recovered(truth, tuples, renamed, 5) == 1
    shares = [
        share_recovered(truth, tuples, classes[torch.randperm(30, generator=rng(s))], 5)
        for s in range(20)
    ]
    assert abs(sum(shares) / 20) < 0.05
    assert share_recovered(truth, tuples, torch.zeros(30).long(), 5) == 0


def test_rows_are_put_together_by_distance():
    rows = torch.tensor([[0.0], [5.0], [0.1], [5.1], [9.0]]).double()
    found = cluster(rows, 3)
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert len(set(found.tolist())) == 3
    assert cluster(rows, 8).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("context", CONTEXTS)
def test_many_strings_tell_every_level_and_a_few_tell_none(context):
    rules = grammar()
    levels = ["level_2"] if context == "far_tokens" else ["level_2", "level_1"]
    many = recover(rules, 2**14, context, rng(1))
    assert [*many] == levels
    assert min(many.values()) > 0.9
    few = recover(rules, 8, context, rng(1))
    assert max(few.values()) < 0.4


@pytest.mark.parametrize("context", CONTEXTS)
def test_contexts_of_other_strings_tell_nothing(context):
    found = recover(grammar(), 2**14, context, rng(1), elsewhere=True)
    assert max(map(abs, found.values())) < 0.25


def test_where_every_string_is_spelled_no_context_tells():
    rules = grammar(m=64, v=4, depth=2)
    assert abs(recover(rules, 2**12, "tokens", rng())["level_1"]) < 0.25


def test_latents_need_fewer_strings_than_tokens_above_the_first_level():
    rules, generator = grammar(m=8), rng(1)

    def needed(context, level):
        return samples_needed(
            lambda n: recover(rules, n, context, generator)[level], 2**16
        )

    assert needed("latents", "level_1") < needed("tokens", "level_1") - 1.5
    assert abs(needed("latents", "level_2") - needed("tokens", "level_2")) < 1.5


def test_needed_is_the_least_number_to_an_eighth_of_an_octave():
    for least in (20, 100, 777):
        found = samples_needed(lambda n, least=least: float(n >= least), 4096)
        assert least / 1.1 < 2**found < least * 1.1
    assert samples_needed(lambda n: 0.7 - 1 / n, 4096) is None


def test_what_cannot_be_clustered_is_refused_in_a_line():
    rules = grammar(depth=2)
    with pytest.raises(ValueError, match="context 'pixels' is none of latents"):
        recover(rules, 10, "pixels", rng())
    with pytest.raises(ValueError, match="1 strings; give at least 2"):
        recover(rules, 1, "tokens", rng())
    with pytest.raises(ValueError, match="40 symbols; choose at most 32"):
        spell([torch.zeros(40, 1, 4).long()], 10, rng())
