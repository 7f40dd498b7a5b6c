"""The attentive probe where a mean fails, where it is a linear probe, its refusals."""

import math

import pytest
import torch
from torch import Tensor

from mae_bench.metrics import Patches, Split
from mae_bench.metrics.attentive_probe import attend, attentive_probe, descend, loss
from mae_bench.metrics.linear_probe import linear_probe

CLASSES, WIDTH = 4, 8


def one_of_many(
    n: int, generator: torch.Generator, *, tokens: int = 12, cue: float = 6.0
) -> Patches:
    """The class is written on one token, which a cue marks; the others are noise."""
    code = torch.randn(CLASSES, WIDTH, generator=torch.Generator().manual_seed(1))
    code[:, 0] = 0
    labels = torch.randint(CLASSES, (n,), generator=generator)
    features = torch.randn(n, tokens, WIDTH, generator=generator)
    place = torch.randint(tokens, (n,), generator=generator)
    features[torch.arange(n), place] += 1.5 * code[labels]
    features[torch.arange(n), place, 0] += cue
    return Patches(features, labels)


@pytest.fixture
def planted(generator: torch.Generator) -> list[Patches]:
    return [one_of_many(n, generator) for n in (400, 200, 400)]


def pooled(splits: list[Patches]) -> list[Split[Tensor]]:
    return [Split(s.features.mean(1), s.target) for s in splits]


def test_it_finds_the_token_that_a_cue_marks_where_the_mean_drowns_it(planted):
    found = attentive_probe(*planted)
    assert found[""] > 0.9
    assert abs(found["val"] - found[""]) < 0.1
    assert linear_probe(*pooled(planted))[""] < 0.6


def test_labels_of_other_images_are_at_chance(planted, generator):
    order = [torch.randperm(len(s.target), generator=generator) for s in planted]
    given = [
        Patches(s.features, s.target[k]) for s, k in zip(planted, order, strict=True)
    ]
    assert attentive_probe(*given)[""] == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_of_tokens_that_are_alike_it_is_the_linear_probe(noise, blobs):
    given = blobs(noise=noise)
    alike = [Patches(s.features[:, None].expand(-1, 5, -1), s.target) for s in given]
    expected = linear_probe(*given)
    found = attentive_probe(*alike)
    assert found == pytest.approx(expected, abs=0.01)
    assert 0.3 < expected[""] <= 1


def test_its_gradient_is_that_of_its_loss(planted):
    x = planted[0].features[:20].double()
    onehot = torch.nn.functional.one_hot(planted[0].target[:20], CLASSES).double()
    weights = torch.randn(
        WIDTH + WIDTH * CLASSES + CLASSES,
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float64,
    ).requires_grad_()
    value, gradient = loss(x, onehot, weights)
    (expected,) = torch.autograd.grad(value, weights)
    torch.testing.assert_close(gradient.detach(), expected)


def test_more_steps_gain_little(planted):
    x = planted[0].features
    onehot = torch.nn.functional.one_hot(planted[0].target, CLASSES).float()
    weights = torch.zeros(WIDTH + WIDTH * CLASSES + CLASSES)
    seen = []
    for _ in range(4):
        weights = descend(x, onehot, weights, 0.1)
        penalty = weights[:-CLASSES].square().sum() / (2 * 0.1 * len(x))
        seen.append(float(loss(x, onehot, weights)[0] + penalty))
    assert seen[0] < 1.02 * seen[-1]


def test_attention_is_a_mean_with_weights(planted):
    x = planted[0].features[:3]
    attention, read = attend(x, torch.zeros(WIDTH))
    torch.testing.assert_close(attention.sum(1), torch.ones(3))
    torch.testing.assert_close(read, x.mean(1))


def test_order_of_the_tokens_offset_scale_and_half_precision_do_not_matter(planted):
    expected = attentive_probe(*planted)[""]
    for change in (lambda h: h.flip(1), lambda h: 100 * h - 7, lambda h: h.half()):
        moved = [Patches(change(s.features), s.target) for s in planted]
        assert attentive_probe(*moved)[""] == pytest.approx(expected, abs=0.02)


def test_the_same_call_gives_the_same_number(planted):
    assert attentive_probe(*planted) == attentive_probe(*planted)


def test_constant_tokens_give_the_largest_class():
    labels = torch.tensor([0, 1, 1, 2] * 10)
    constant = Patches(torch.full((40, 5, 3), 0.1), labels)
    assert attentive_probe(constant, constant, constant) == {"": 0.5, "val": 0.5}


def test_the_penalty_is_chosen_on_val(planted):
    train, val, test = planted
    found = attentive_probe(train, val, test)
    assert attentive_probe(train, val, val) == dict.fromkeys(("", "val"), found["val"])
    assert attentive_probe(train, val, train)["val"] == found["val"]


def test_bad_splits_are_refused(planted):
    train, val, test = planted
    with pytest.raises(ValueError, match="NaN"):
        attentive_probe(Patches(train.features * math.nan, train.target), val, test)
    with pytest.raises(ValueError, match=r"classes \[4\]"):
        attentive_probe(train, val, Patches(test.features, test.target + 1))
    with pytest.raises(ValueError, match="give int64"):
        attentive_probe(train, val, Patches(test.features, test.target.float()))
    with pytest.raises(ValueError, match="at least 10"):
        attentive_probe(train, val, Patches(test.features[:5], test.target[:5]))
