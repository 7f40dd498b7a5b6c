"""Words that set something, of the kind that its default is."""

import pytest

from mae_bench.records.schema import UsageError
from mae_bench.records.settings import changed

PARTS = {
    "datasets": {
        "tree": {"depth": 3, "noise": 0.5},
        "folder": {"path": "", "grey": False, "patch_size": 4},
    },
    "methods": {
        "mae": {"depth": 2, "lr": 0.01, "steps": 1000},
        "pixels": {"components": 8, "steps": 1000},
    },
}


def test_a_word_changes_every_part_that_has_its_name_and_no_other() -> None:
    found = changed(["steps=30", "path=a=b", "grey=True", "noise=1"], PARTS)
    assert found == {
        "datasets": {"tree": {"noise": 1.0}, "folder": {"path": "a=b", "grey": True}},
        "methods": {"mae": {"steps": 30}, "pixels": {"steps": 30}},
    }
    assert isinstance(found["datasets"]["tree"]["noise"], float)
    assert changed([], PARTS)["methods"] == {"mae": {}, "pixels": {}}


def test_the_later_of_two_words_of_a_name_holds() -> None:
    found = changed(["lr=1", "lr=2e-3"], PARTS)
    assert found["methods"]["mae"] == {"lr": 0.002}


def test_a_name_of_two_rooms_asks_for_its_room() -> None:
    with pytest.raises(UsageError, match=r"say dataset\.depth or method\.depth"):
        changed(["depth=4"], PARTS)
    found = changed(["method.depth=4"], PARTS)
    assert found["methods"]["mae"] == {"depth": 4}
    assert found["datasets"]["tree"] == {}
    assert changed(["dataset.grey=true"], PARTS) == changed(["grey=true"], PARTS)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("stepz=3", "unknown setting 'stepz'; did you mean steps"),
        ("method.noise=3", "unknown setting 'method.noise'; did you mean noise"),
        ("steps", "setting 'steps': expected NAME=VALUE"),
        ("steps=many", "setting 'steps=many': expected int"),
        ("steps=1.5", "setting 'steps=1.5': expected int"),
        ("steps=", "setting 'steps=': expected int"),
        ("lr=fast", "setting 'lr=fast': expected float"),
        ("lr=nan", "setting 'lr=nan': expected float"),
        ("grey=perhaps", "setting 'grey=perhaps': expected true or false"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(word: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        changed([word], PARTS)
    assert "\n" not in str(refused.value)


def test_where_nothing_can_be_set_that_is_said() -> None:
    with pytest.raises(UsageError, match="there is none"):
        changed(["path=x"], {"datasets": {"digits": {}}})
