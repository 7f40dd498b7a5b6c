"""Published numbers beside ours, by both protocols."""

from pathlib import Path

import pandas as pd
import pytest

from mae_bench.experiments._published import Published
from mae_bench.records import registry
from mae_bench.verdicts.reproduced import NOT_RUN, lines, ours

NUMBER = Published("mae", "knn_probe", "k200", 0.61, "best epoch", "a table")
HEAD = {"tier": "paper", "status": "ok", "method": "mae", "metric": "knn_probe"}
HEAD |= {"target": "k200", "token": "mean", "view": "unmasked"}


def table(**changed: str) -> pd.DataFrame:
    values = {(0, 0.5): 0.6, (0, 1.0): 0.5, (1, 0.5): 0.4, (1, 1.0): 0.6}
    rows = [
        {**HEAD, **changed, "seed": seed, "stop": stop, "value": value}
        for (seed, stop), value in values.items()
    ]
    return pd.DataFrame(rows)


def test_the_end_and_the_best_checkpoint_are_means_over_seeds() -> None:
    told = ours(NUMBER, table())
    assert told == (
        "0.550 ± 0.071 at the end, 0.600 at the best of 2 checkpoints "
        "(knn_probe k200, 2 seeds)"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"tier": "smoke"},
        {"method": "sim_mim"},
        {"metric": "linear_probe"},
        {"target": "k20"},
        {"token": "cls"},
        {"view": "masked"},
        {"status": "error"},
    ],
)
def test_rows_of_another_kind_are_no_answer(changed: dict[str, str]) -> None:
    assert ours(NUMBER, table(**changed)) == NOT_RUN


def test_one_that_has_not_come_to_its_end_is_not_run() -> None:
    rows = table()
    assert ours(NUMBER, rows[rows["stop"] < 1]) == NOT_RUN
    assert ours(NUMBER, pd.DataFrame()) == NOT_RUN


def test_every_experiment_says_that_it_is_not_run_or_cannot_be(tmp_path: Path) -> None:
    known = registry.load_all("experiments")
    papers = [name for name, e in known.items() if e.published]
    assert len(papers) == 5
    for name in papers:
        ends = {line.rpartition("ours: ")[2] for line in lines(name, tmp_path)}
        assert ends <= {NOT_RUN, "no instrument of ours does this"}
        ids = {metric.id for metric in known[name].metrics}
        learners = {registry.id_of(m) for m in known[name].methods}
        for number in known[name].published:
            assert number.metric in ids | {""}
            assert number.method in learners
            assert 0 < number.value < 1
