import pandas as pd
import pytest

from mae_bench.predictions.association import Association
from mae_bench.predictions.bound import Bound
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equality import Equality
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.membership import Membership
from mae_bench.predictions.nearer import Nearer
from mae_bench.predictions.ordering import Ordering
from mae_bench.predictions.peak import Peak
from mae_bench.predictions.slope import Slope
from mae_bench.predictions.trend import Trend
from mae_bench.records import registry
from mae_bench.verdicts.compared import (
    Lacking,
    check_levels,
    columns_of,
    levels_in_words,
    refuse_none,
    said,
    sides,
)

PAIR = Contrast(0.1, {"method": "u_mae"}, {"method": "mae", "lamb": 0.0})


FORMS = [
    (PAIR, [PAIR.treatment, PAIR.baseline], {"method", "lamb"}),
    (Contrast(0.1, {}, 0.5), [{}], set()),
    (Equivalence(0.1, PAIR), [PAIR.treatment, PAIR.baseline], {"method", "lamb"}),
    (Trend(0.1, "lamb"), [], {"lamb"}),
    (Trend(0.1, "lamb", levels=(1, 2)), [{"lamb": 1}, {"lamb": 2}], {"lamb"}),
    (Peak(0.1, "lamb"), [], {"lamb"}),
    (
        Ordering(0.1, "method", ("a", "b")),
        [{"method": "a"}, {"method": "b"}],
        {"method"},
    ),
    (
        Nearer(0.1, "lamb", level=(1, 4), near=2, far=3),
        [{"lamb": (1, 4)}, {"lamb": 2}, {"lamb": 3}],
        {"lamb", "target"},
    ),
    (Membership(0.9), [], {"target"}),
    (
        Association(0.1, {"metric": "a"}, {"metric": "b"}, ("lamb",)),
        [{"metric": "a"}, {"metric": "b"}],
        {"lamb"},
    ),
    (
        Bound(0.0, {"target": "a"}, 0.5, ("lamb",)),
        [{"target": "a"}],
        {"target", "lamb"},
    ),
    (
        Slope(0.1, 1.0, "lamb", ((1, 0.0), (2, 1.0))),
        [{"lamb": 1}, {"lamb": 2}],
        {"lamb"},
    ),
    (Equality(0.1, {}, {"target": "a"}), [{}, {"target": "a"}], {"target"}),
]


@pytest.mark.parametrize(("form", "found", "columns"), FORMS)
def test_a_form_says_what_it_compares(form, found, columns) -> None:
    assert sides(form) == found
    assert columns_of(form) == columns


def test_every_form_that_there_is_has_been_asked() -> None:
    """One whose filters are not seen would be held against any rows."""
    asked = {type(form).__name__.lower() for form, *_ in FORMS}
    assert asked == {*registry.names("predictions")}


ROWS = pd.DataFrame({"lamb": [0.0, 1.0], "target": ["a", ""], "other": ["", ""]})


def test_what_is_said_in_a_column() -> None:
    assert said(ROWS, "lamb")
    assert said(ROWS, "target")
    assert not said(ROWS, "other")
    assert not said(ROWS, "absent")
    assert levels_in_words(ROWS, "lamb") == "0, 1"
    assert levels_in_words(ROWS, "other") == "none"


def test_what_is_lacking_is_named_with_what_is_there() -> None:
    refuse_none(ROWS, {"lamb": 1.0})
    with pytest.raises(Lacking, match=r"lamb 2 \(there is 0, 1") as lack:
        refuse_none(ROWS, {"lamb": 2})
    assert lack.value.near == 2
    with pytest.raises(Lacking, match=r"3 levels of lamb \(there is 0, 1") as lack:
        check_levels(Peak(0.1, "lamb"), ROWS)
    assert lack.value.near == 3
    check_levels(Trend(0.1, "lamb"), ROWS)
    with pytest.raises(Lacking, match=r"lamb 5 \(there is 0, 1"):
        check_levels(Trend(0.1, "lamb", levels=(0, 5)), ROWS)
    with pytest.raises(Lacking, match=r"2 levels of lamb \(there is 0"):
        check_levels(Trend(0.1, "lamb"), ROWS.iloc[:1])
