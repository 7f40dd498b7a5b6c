"""A column of text by its words, of which there are few: each is read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

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
    codes: npt.NDArray[np.intp]
    column: pd.Series

    @classmethod
    def of(cls, column: pd.Series) -> Words:
        """The words of a column."""
        codes, words = pd.factorize(column)
        return cls(pd.Series(words), codes, column)

    def each(self, read: Callable[[pd.Series], pd.Series]) -> pd.Series:
        """What is read of the words, in the rows that have them."""
        return self.rows(read(self.words))

    def rows(self, of_words: pd.Series) -> pd.Series:
        """What is known of each word, in the rows that have it."""
        found, kind = of_words.array.take(self.codes), of_words.dtype
        # Without its kind Python's text would become Arrow's.
        return pd.Series(found, self.column.index, kind, self.column.name)


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


def levels_of(column: Words) -> pd.Series:
    """The same of a column whose words are known."""
    truths = column.words.isin(TRUTHS)
    truth = column.words.map(TRUTHS).astype(float)
    found = numbers(column.words).where(~truths, truth)
    known = bool((truths | found.notna()).all())
    return column.rows(found) if known else column.column


def shared(column: pd.Series) -> pd.Series:
    """A column of text as Python has it, of each word one copy.

    Tables are cut a thousand times, which Arrow's text is slow at.
    """
    words = Words.of(column)
    return words.rows(words.words.astype(object))
