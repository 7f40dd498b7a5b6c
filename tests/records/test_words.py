"""Words of a column are read once, and every row has what was read of its own."""

import numpy as np
import pandas as pd

from mae_bench.records.words import TRUTHS, Words, levels, numbers, shared


def test_each_word_is_read_once_for_all_rows_that_have_it() -> None:
    column = pd.Series(["b", "a", "b"], index=[7, 8, 9], name="token")
    seen = []

    def read(words: pd.Series) -> pd.Series:
        seen.extend(words)
        return words.str.upper()

    found = Words.of(column).each(read)
    assert sorted(seen) == ["a", "b"]
    assert found.tolist() == ["B", "A", "B"]
    assert (list(found.index), found.name) == ([7, 8, 9], "token")


def test_numbers_are_those_of_python_to_the_last_bit() -> None:
    words = pd.Series(["0.1", "123456.789012", "1e-7", "+2", "7.038531e-26"])
    assert numbers(words).tolist() == [float(word) for word in words]
    assert numbers(pd.Series(["1_0", "0x1", " 1", "1-2"])).isna().all()


def test_levels_are_numbers_only_where_all_of_them_are() -> None:
    assert levels(pd.Series(["0.5", "True", ""])).tolist()[:2] == [0.5, 1.0]
    text = pd.Series(["0.5", "grid"])
    assert levels(text) is text
    assert set(TRUTHS) == {"True", "False", ""}


def test_shared_text_is_pythons_with_one_copy_of_each_word() -> None:
    found = shared(pd.Series(["tree", "digits", "tree"]))
    assert found.dtype == object
    assert found[0] is found[2]


def test_a_column_without_rows_stays_one() -> None:
    empty = pd.Series([], dtype="str")
    assert len(Words.of(empty).each(numbers)) == 0
    assert np.asarray(shared(empty)).tolist() == []
