"""The nearest-neighbour probe at its ends, against scikit-learn, and its lie."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from mae_bench.metrics import Split
from mae_bench.metrics.knn_probe import CHUNK, TEMPERATURE, knn_probe


@pytest.mark.parametrize("n_test", [600, CHUNK + 76])
def test_it_is_scikit_learns_weighted_classifier(n_test, blobs):
    train, val, test = blobs(sizes=(400, 10, n_test), noise=1.5)
    scores = knn_probe(train, val, test)
    for k in (20, 200):
        classifier = KNeighborsClassifier(
            k, metric="cosine", weights=lambda d: np.exp((1 - d) / TEMPERATURE)
        ).fit(train.features.numpy(), train.target.numpy())
        expected = classifier.score(test.features.numpy(), test.target.numpy())
        assert scores[f"k{k}"] == pytest.approx(expected, abs=0.002)
        assert 0.4 < expected < 0.95


def test_automatic_mixed_precision_changes_nothing(blobs):
    given = blobs(noise=1.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = knn_probe(*given)
    assert found == knn_probe(*given)


def test_separate_directions_are_told_apart_perfectly(blobs):
    scores = knn_probe(*blobs(noise=0.001))
    assert scores == {"k20": 1.0, "k200": 1.0}


def test_k_is_at_most_the_number_of_training_images(blobs):
    scores = knn_probe(*blobs(sizes=(15, 10, 50), noise=0.5))
    assert scores["k20"] == scores["k200"]


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_constant_features_give_the_largest_class(value):
    labels = torch.tensor([2, 1, 0, 1] * 100)
    constant = Split(torch.full((400, 32), value), labels)
    assert knn_probe(constant, constant, constant) == {"k20": 0.5, "k200": 0.5}


def test_independent_features_are_at_chance(generator, blobs):
    given = [
        Split(torch.randn(len(s.target), 8, generator=generator), s.target)
        for s in blobs(sizes=(400, 10, 2000))
    ]
    scores = knn_probe(*given)
    assert scores == pytest.approx({"k20": 0.25, "k200": 0.25}, abs=0.05)


def test_rotation_scale_and_the_order_of_images_do_not_matter(generator, blobs):
    train, val, test = blobs()
    rotation = 5 * torch.linalg.qr(torch.randn(6, 6, generator=generator))[0]
    order = torch.randperm(400, generator=generator)
    moved = (
        Split(train.features[order] @ rotation, train.target[order]),
        val,
        Split(test.features @ rotation, test.target),
    )
    expected = knn_probe(train, val, test)
    assert knn_probe(*moved) == pytest.approx(expected, abs=0.004)


def test_under_a_common_offset_large_neighbourhoods_outvote_a_rare_class(generator):
    plain = []
    for n in (240, 10, 200):
        labels = (torch.arange(n) % 4 == 0).long()
        features = 0.3 * torch.randn(n, 6, generator=generator)
        features[:, 0] += 2.0 * labels - 1
        plain.append(Split(features, labels))
    moved = [Split(s.features + 100, s.target) for s in plain]
    assert knn_probe(*plain)["k200"] > 0.97
    assert knn_probe(*moved) == {"k20": pytest.approx(1, abs=0.03), "k200": 0.75}


def test_bad_splits_are_refused(blobs):
    train, val, test = blobs()
    with pytest.raises(ValueError, match="NaN"):
        knn_probe(train, val, Split(test.features * math.nan, test.target))
    with pytest.raises(ValueError, match=r"classes \[4\]"):
        knn_probe(train, val, Split(test.features, test.target + 1))
