"""The contract of the metrics, and what they do to a split first."""

import doctest
import inspect
import math
import pickle
import sys

import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from mae_bench.metrics import (
    Headline,
    Split,
    check_splits,
    count_classes,
    metric,
    standardise,
    standardised,
)
from mae_bench.metrics.linear_probe import linear_probe


def labelled(*labels: int) -> Split[Tensor]:
    return Split(torch.zeros(len(labels), 1), torch.tensor(labels))


def test_a_metric_is_called_like_its_function_and_keeps_its_facts():
    @metric(reads="features", direction="max", version=3, source="here")
    def width(features: Tensor) -> int:
        """Number of features."""
        return features.shape[1]

    assert width(torch.zeros(2, 5)) == 5
    assert (width.id, width.version, width.__doc__) == (
        "width",
        3,
        "Number of features.",
    )
    assert math.isnan(width.best)
    assert list(inspect.signature(width).parameters) == ["features"]


def test_a_metric_is_pickled_like_its_function_and_its_doctests_are_found():
    assert pickle.loads(pickle.dumps(linear_probe)) is linear_probe  # noqa: S301
    found = doctest.DocTestFinder().find(sys.modules[linear_probe.__module__])
    assert any(t.examples for t in found if t.name.endswith(".linear_probe"))


@pytest.mark.parametrize(
    ("direction", "better"), [("max", "max"), ("min", "min"), ("target", "none")]
)
def test_a_headline_is_its_metrics_and_better_where_the_metric_is(direction, better):
    declared = (Headline("level_0"), Headline("", token="", fair=False))

    @metric(
        reads="latents", direction=direction, version=1, source="", headlines=declared
    )
    def width() -> None:
        """Number of features."""

    one, two = width.headlines
    assert (one.name, two.name) == ("width_level_0", "width")
    assert (one.token, one.fair, two.token, two.fair) == ("mean", True, "", False)
    assert {h.metric for h in width.headlines} == {"width"}
    assert {h.direction for h in width.headlines} == {better}
    assert width.joins == ("leaderboard",)


def test_a_metric_without_headline_joins_nothing():
    @metric(reads="latents", direction="max", version=1, source="")
    def width() -> None:
        """Number of features."""

    assert (width.headlines, width.joins) == ((), ())


def test_standardise_agrees_with_scikit_learn(generator):
    train = 3 + 2 * torch.randn(50, 4, generator=generator)
    other = torch.randn(7, 4, generator=generator)
    scaler = StandardScaler().fit(train.double().numpy())
    for ours, raw in zip(standardise(train, other), (train, other), strict=True):
        theirs = torch.from_numpy(scaler.transform(raw.double().numpy()))
        torch.testing.assert_close(ours, theirs)


def test_a_probe_keeps_no_gradient_of_the_encoder(generator):
    features = torch.randn(12, 3, generator=generator, requires_grad=True)
    splits = [Split(features, None)] * 3
    for ours in standardised(*splits):
        torch.testing.assert_close(ours, standardise(features.detach())[0])
        assert not ours.requires_grad


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, -3e-12])
def test_a_column_that_is_constant_in_train_becomes_zero_everywhere(value):
    train, other = standardise(torch.full((33, 1), value), torch.randn(5, 1))
    assert not train.any()
    assert not other.any()


def test_a_tiny_but_real_variation_survives_standardisation(generator):
    train = 1 + 1e-4 * torch.randn(200, 1, generator=generator)
    assert float(standardise(train)[0].std(correction=0)) == pytest.approx(1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_features_that_are_no_numbers_are_refused(bad):
    features = torch.zeros(10, 2)
    features[3, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        check_splits(Split(torch.zeros(10, 2), None), Split(features, None))


def test_too_few_images_are_refused_with_their_number():
    check_splits(Split(torch.zeros(10, 2), None))
    with pytest.raises(ValueError, match="split of 9 images"):
        check_splits(Split(torch.zeros(9, 2), None))


def test_classes_are_counted_up_to_the_largest_label():
    assert count_classes(labelled(0, 0, 3, 3), labelled(3)) == 4


def test_a_class_without_training_images_is_named():
    with pytest.raises(ValueError, match=r"classes \[1, 2\]"):
        count_classes(labelled(0, 0, 3, 3), labelled(2, 0), labelled(1))


@pytest.mark.parametrize(
    "labels", [torch.ones(4), torch.ones(4).int(), torch.ones(4, 1).long()]
)
def test_labels_that_are_no_int64_column_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels are torch\..* \[4.*give int64 \[n\]"):
        count_classes(Split(torch.zeros(4, 1), labels))


def test_fewer_than_two_training_images_a_class_are_refused():
    with pytest.raises(ValueError, match=r"3 training images.*at least 4"):
        count_classes(labelled(0, 1, 1))
