"""The linear probe at its ends, against scikit-learn, and its refusals."""

import math

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from mae_bench.metrics import Split, standardise
from mae_bench.metrics.linear_probe import CS, descend, linear_probe


def with_bias(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones_like(x[:, :1])], 1)


@pytest.mark.parametrize("C", [1e-3, 1.0, 10.0])
def test_the_minimum_is_scikit_learns(C, blobs):
    train = blobs()[0]
    (x,) = standardise(train.features)
    onehot = torch.nn.functional.one_hot(train.target).double()
    start = torch.zeros(7, 4, dtype=torch.float64)
    weight = descend(with_bias(x), onehot, start, C)
    theirs = LogisticRegression(C=C, tol=1e-10, max_iter=5000).fit(
        x.numpy(), train.target.numpy()
    )
    expected = torch.from_numpy(theirs.predict_proba(x.numpy()))
    ours = (with_bias(x) @ weight).softmax(1)
    torch.testing.assert_close(ours, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    "drawn",
    [{"noise": 1.5}, {"sizes": (60, 60, 400), "width": 150, "noise": 4.0}],
    ids=["narrow", "wide"],
)
def test_it_is_scikit_learns_probe_with_the_penalty_chosen_on_val(drawn, blobs):
    train, val, test = blobs(**drawn)
    x, x_val, x_test = (
        t.numpy() for t in standardise(train.features, val.features, test.features)
    )
    fits = [LogisticRegression(C=C, max_iter=5000).fit(x, train.target) for C in CS]
    best = max(fits, key=lambda fit: fit.score(x_val, val.target))
    expected = best.score(x_test, test.target)
    assert 0.4 < expected < 0.95
    assert linear_probe(train, val, test)[""] == pytest.approx(expected, abs=0.005)


def test_separable_classes_are_read_perfectly(blobs):
    assert linear_probe(*blobs(noise=0.01)) == {"": 1.0, "val": 1.0}


def test_the_same_call_gives_the_same_number(blobs):
    given = blobs()
    assert linear_probe(*given) == linear_probe(*given)


def test_offset_scale_and_order_of_the_features_do_not_matter(blobs):
    given = blobs()
    moved = [Split(s.features.flip(1) * 100 - 7, s.target) for s in given]
    assert linear_probe(*moved)[""] == pytest.approx(linear_probe(*given)[""], abs=0.01)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_constant_features_give_the_largest_class(value):
    labels = torch.tensor([0, 1, 1, 2] * 10)
    constant = Split(torch.full((40, 3), value), labels)
    assert linear_probe(constant, constant, constant) == {"": 0.5, "val": 0.5}


def test_independent_features_are_at_chance(generator, blobs):
    given = [
        Split(torch.randn(len(s.target), 20, generator=generator), s.target)
        for s in blobs(sizes=(200, 200, 4000))
    ]
    assert linear_probe(*given)[""] == pytest.approx(0.25, abs=0.04)


def test_a_class_that_no_line_cuts_off_is_missed(generator):
    given = []
    for n in (300, 150, 400):
        labels = torch.arange(n) % 2
        angle = 2 * math.pi * torch.rand(n, generator=generator)
        ring = torch.stack([angle.cos(), angle.sin()], 1)
        given.append(Split(ring * (1 + labels[:, None]), labels))
    assert linear_probe(*given)[""] < 0.65


def test_principal_axes_of_very_unequal_variance_converge(blobs):
    train = blobs((2000,), 10, 32, noise=2.0)[0]
    (x,) = standardise(train.features)
    x = with_bias(x @ torch.linalg.eigh(x.T @ x)[1] * torch.logspace(0, -3, 32))
    onehot = torch.nn.functional.one_hot(train.target).double()
    weight = descend(x, onehot, torch.zeros(33, 10).double(), 10.0)
    gradient = x.T @ ((x @ weight).softmax(1) - onehot) / len(x)
    gradient[:-1] += weight[:-1] / (10.0 * len(x))
    assert float(gradient.abs().max()) < 1e-5


def test_bad_splits_are_refused(blobs):
    train, val, test = blobs()
    with pytest.raises(ValueError, match="NaN"):
        linear_probe(Split(train.features * math.nan, train.target), val, test)
    with pytest.raises(ValueError, match=r"classes \[4\]"):
        linear_probe(train, val, Split(test.features, test.target + 1))


def test_the_penalty_is_chosen_on_val_where_test_would_have_another():
    # The strongest penalty says 1 of every image, which is right of all in ``one``.
    labels = (torch.arange(100) % 10 < 7).long()
    split = Split(labels[:, None].float(), labels)
    one = Split(split.features, torch.ones_like(labels))
    assert linear_probe(split, one, split)[""] == pytest.approx(0.7)
    assert linear_probe(split, split, one)[""] == pytest.approx(0.7)


def test_the_accuracy_on_the_images_that_choose_stands_beside(blobs):
    train, val, test = blobs(noise=2.0)
    found = linear_probe(train, val, test)
    assert found["val"] != found[""]
    assert linear_probe(train, val, val) == dict.fromkeys(("", "val"), found["val"])
