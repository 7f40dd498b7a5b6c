"""A column of text by its words, of which there are few: each is read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Places of several columns together are a number below it, which sorts faster.
ROOM = 2**62
TRUTHS = {"True": 1.0, "False": 0.0, "": np.nan}


@dataclass(frozen=True)
class Words:
    """A column.

    Args:
        words: That it has, each once.
        codes: Which of them each row has.
        column: As it was.
    """

    words: pd.Series
    codes: npt.NDArray[np.integer[Any]]
    column: pd.Series

    @classmethod
    def of(cls, column: pd.Series) -> Words:
        """The words of a column."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            words, codes = column.cat.categories, column.cat.codes.to_numpy()
            used = np.zeros(len(words) + 1, np.bool_)  # the last: a row has no word
            used[codes] = True
            if used[:-1].all() and not used[-1]:
                return cls(pd.Series(words), codes, column)
            column = column.astype(object)
        codes, words = pd.factorize(column, use_na_sentinel=False)
        return cls(pd.Series(words), codes, column)

    def each(self, read: Callable[[pd.Series], pd.Series]) -> pd.Series:
        """What is read of the words, in the rows that have them."""
        return self.rows(read(self.words))

    def rows(self, of_words: pd.Series) -> pd.Series:
        """What is known of each word, in the rows that have it."""
        found, kind = of_words.array.take(self.codes), of_words.dtype
        # Without its kind Python's text would become Arrow's.
        return pd.Series(found, self.column.index, kind, self.column.name)

    def category(self) -> pd.Categorical:
        """A column of text as codes of its words, which are sorted."""
        places, words = pd.factorize(self.words.astype(object), sort=True)
        codes = np.take(places, self.codes)
        found: pd.Categorical = pd.Categorical.from_codes(codes, pd.Index(words))
        return found

    def shared(self) -> pd.Series:
        """A column of text as Python has it, of each word one copy.

        Tables are cut a thousand times, which Arrow's text is slow at.
        """
        return self.rows(self.words.astype(object))

    def places(self) -> npt.NDArray[np.intp]:
        """Where each entry stands among all that there are; what is empty, last.

        >>> Words.of(pd.Series(["b", None, "a", "b"])).places().tolist()
        [1, 2, 0, 1]
        """
        places, words = pd.factorize(self.words, sort=True)
        places = np.where(places < 0, len(words), places)
        return np.take(places, self.codes)


@dataclass(frozen=True, eq=False)
class Coded:
    """Entries of a category, to be compared with a word by its code alone.

    Args:
        words: That there are.
        codes: Which of them each entry is; -1 for none.
    """

    words: pd.Index
    codes: npt.NDArray[np.integer[Any]]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, at: npt.NDArray[Any]) -> Coded:
        return Coded(self.words, self.codes[at])

    def __eq__(self, word: object) -> Any:
        if word not in self.words:
            return np.zeros(len(self), np.bool_)
        return self.codes == self.words.get_loc(word)

    def __ne__(self, word: object) -> Any:
        return ~(self == word)


def entries(column: pd.Series) -> Any:
    """What it has, as it is kept, which is what compares fastest."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return Coded(column.dtype.categories, column.array.codes)
    plain = isinstance(column.dtype, np.dtype)
    return column.to_numpy() if plain else column.array


def lacking(column: Any) -> npt.NDArray[np.bool_]:
    """Which of some ``entries`` are none."""
    found = column.codes < 0 if isinstance(column, Coded) else pd.isna(column)
    return np.asarray(found, np.bool_)


def shared(rows: pd.DataFrame) -> pd.DataFrame:
    """A table whose text is as Python has it, of each word one copy.

    Tables are cut a thousand times, at which Arrow's text and categories are slow.
    """
    text = set(of_words(rows))
    if not text:
        return rows
    # Made at once: columns of a kind are then one block, of which cuts are faster.
    return pd.DataFrame({c: _shared(rows[c]) if c in text else rows[c] for c in rows})


def _shared(column: pd.Series) -> pd.Series:
    found = entries(column)
    if not isinstance(found, Coded):
        return Words.of(column).shared()
    words = np.append(found.words.astype(object).to_numpy(), [np.nan])
    # Without its kind it would become Arrow's.
    return pd.Series(words[found.codes], column.index, object)


def order_by(columns: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.intp]:
    """Where the rows stand by a first column of places, a next one; ties as they are.

    >>> order_by([np.array([1, 0, 1]), np.array([0, 5, 0])]).tolist()
    [1, 0, 2]
    """
    keys: list[npt.NDArray[np.int64]] = []
    size = 1  # of the key that is being filled, the last of all columns first
    for places in reversed(columns):
        here = int(places.max(initial=0)) + 1
        if not keys or size * here > ROOM:
            keys.append(np.zeros(len(places), np.int64))
            size = 1
        keys[-1] += size * places.astype(np.int64)
        size *= here
    return np.lexsort(keys)


def numbers(words: pd.Series) -> pd.Series[float]:
    """Numbers to the last bit, which pandas' own need not be; NaN for other text.

    >>> numbers(pd.Series(["0.1", "high", ""])).tolist()
    [0.1, nan, nan]
    """
    plain = words.where(words.str.fullmatch(r"[-+.0-9eE]+"), "nan")
    try:
        return pd.Series(plain.to_numpy(object).astype(float), words.index)
    except ValueError:
        return pd.to_numeric(plain, errors="coerce")


def levels(column: pd.Series) -> pd.Series:
    """Numbers where every entry is one, a truth value or empty; else the text.

    >>> levels(pd.Series(["0.5", "True", ""])).tolist()
    [0.5, 1.0, nan]
    """
    return levels_of(Words.of(column))


def in_full(rows: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns of words, see ``Words``, are text."""
    text = pd.StringDtype(na_value=np.nan)
    kinds = {c: text for c, kind in rows.dtypes.items() if kind == "category"}
    return rows.astype(kinds) if kinds else rows


def of_words(rows: pd.DataFrame) -> list[str]:
    """Columns of text, however it is kept."""
    kinds = ("str", "category")
    return [str(c) for c, kind in rows.dtypes.items() if kind in kinds]


def levels_of(column: Words) -> pd.Series:
    """The same of a column whose words are known."""
    truths = column.words.isin(TRUTHS)
    truth = column.words.map(TRUTHS).astype(float)
    found = numbers(column.words).where(~truths, truth)
    known = bool((truths | found.notna()).all())
    return column.rows(found) if known else column.column
