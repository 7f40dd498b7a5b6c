"""Which numbers of a history are said to have moved, and which are not."""

import numpy as np
import pytest

from mae_bench.commits.errors import Errors
from mae_bench.commits.regressions import regressions

SHAS = [f"{i:040x}" for i in range(20)]


def told(**series: np.ndarray) -> list[tuple[str, Errors]]:
    return [
        (sha, {("world", name, "probe/v1"): list(e[t]) for name, e in series.items()})
        for t, sha in enumerate(SHAS)
    ]


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)

    def draw() -> np.ndarray:
        return 0.3 + 0.01 * rng.normal(size=(20, 5))

    return draw


def test_what_is_worse_comes_first_and_names_both_commits(noise) -> None:
    better, worse, still = noise(), noise(), noise()
    better[8:] -= 0.1
    worse[12:] += 0.05
    found = regressions(told(better=better, worse=worse, still=still))
    assert found["verdict"].tolist() == ["worse", "better"]
    first = found.iloc[0]
    assert first["number"] == "world worse probe/v1"
    assert (first["before"], first["since"]) == (SHAS[11][:12], SHAS[12][:12])
    assert first["a"] == pytest.approx(worse[11].mean())
    assert first["low"] < 0.05 < first["high"]


def test_the_newest_commit_alone_stands_in_brackets(noise) -> None:
    worse = noise()
    worse[19] += 0.2
    assert regressions(told(worse=worse))["verdict"].tolist() == ["(worse)"]


def test_of_many_series_without_a_step_hardly_ever_is_one_found(noise) -> None:
    alarms = 0
    for _ in range(20):
        alarms += len(regressions(told(**{f"m{i}": noise() for i in range(10)})))
    assert alarms <= 5  # of 20 families, each with two sides of 5 %


def test_what_failed_at_a_commit_is_no_part_of_its_series(noise) -> None:
    worse = noise()
    worse[12:] += 0.1
    history = told(worse=worse)
    point = ("world", "worse", "probe/v1")
    history[12] = (SHAS[12], {point: None})
    history[3] = (SHAS[3], {})
    (_, found), *others = regressions(history).iterrows()
    assert not others
    assert (found["before"], found["since"]) == (SHAS[11][:12], SHAS[13][:12])


def test_without_enough_commits_there_is_an_empty_table(noise) -> None:
    found = regressions(told(worse=noise())[:2])
    assert found.empty
    assert found.columns[0] == "verdict"
