"""Words of a column are read once, and every row has what was read of its own."""

import numpy as np
import pandas as pd

from mae_bench.records.words import (
    TRUTHS,
    Words,
    in_full,
    levels,
    numbers,
    of_words,
    order_by,
)


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
    found = Words.of(pd.Series(["tree", "digits", "tree"])).shared()
    assert found.dtype == object
    assert found[0] is found[2]


def test_what_is_missing_stays_so() -> None:
    found = Words.of(pd.Series(["tree", None, "digits"], dtype="str")).shared()
    assert found.isna().tolist() == [False, True, False]
    assert found[2] == "digits"


def test_a_column_without_rows_stays_one() -> None:
    empty = pd.Series([], dtype="str")
    assert len(Words.of(empty).each(numbers)) == 0
    assert np.asarray(Words.of(empty).shared()).tolist() == []


def test_a_category_has_the_words_that_its_rows_have() -> None:
    column = pd.Series(["b", "a", "c", "b"], dtype="category")[[0, 2, 3]]
    words = Words.of(column)
    assert sorted(words.words) == ["b", "c"]
    assert words.rows(words.words).tolist() == ["b", "c", "b"]
    holed = Words.of(pd.Series(["a", None], dtype="category"))
    assert holed.shared().isna().tolist() == [False, True]


def test_text_is_the_same_however_it_is_kept() -> None:
    text = pd.DataFrame({"token": ["b", "", "b"], "seed": [0, 1, 2]})
    narrow = text.astype({"token": "category"})
    pd.testing.assert_frame_equal(in_full(narrow), text)
    assert in_full(text) is text
    assert of_words(narrow) == of_words(text) == ["token"]
    for rows in (text, narrow):
        assert Words.of(rows["token"]).places().tolist() == [1, 0, 1]
        assert Words.of(rows["token"]).shared().tolist() == ["b", "", "b"]
        assert list(Words.of(rows["token"]).category()) == ["b", "", "b"]


def test_rows_stand_as_pandas_sorts_them_however_many_columns_tell() -> None:
    rng = np.random.default_rng(0)
    for kinds in (3, 10**6):  # of which fifteen columns fill one key, or several
        columns = [rng.integers(0, kinds, 50) for _ in range(15)]
        columns[0] %= 2
        table = pd.DataFrame(dict(enumerate(columns)))
        expected = table.sort_values([*table], kind="stable").index
        assert order_by(columns).tolist() == expected.tolist()
