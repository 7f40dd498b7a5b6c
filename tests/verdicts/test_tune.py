from pathlib import Path

import pandas as pd
import pytest

from mae_bench.experiments._chosen import AT_EQUAL_COST, COLUMNS, Chosen
from mae_bench.records.rows import COLUMNS as ROW
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.tune import at_equal_cost, at_the_ends, choose, tune, write

LOSS = {"metric": "held_out_loss", "target": "mean"}
RANK = {"metric": "effective_rank", "target": "centred", "token": "mean"}


def trials(method: str, at: dict, values: dict, dataset: str = "mnist") -> pd.DataFrame:
    """Rows of a metric: learning rate -> its value in each seed, or a status."""
    rows = []
    for lr, seeds in values.items():
        for seed, value in enumerate(seeds):
            row: dict = dict.fromkeys([*ROW, "lr"], "") | at
            row |= {"dataset": dataset, "method": method, "tier": "quick", "lr": lr}
            row |= {"seed": seed, "rounding": 0, "view": "unmasked", "status": "ok"}
            row |= {"cell": f"{dataset} {method} {lr} {seed}", "value": value}
            if isinstance(value, str):
                row |= {"value": float("nan"), "status": value}
                whole = value not in ("collapsed", "error")
                row |= {"metric": "", "target": "", "token": ""} if whole else {}
            rows.append(row)
    return pd.DataFrame(rows).astype({"value": float})


def curves(method: str, ways: dict, dataset: str = "mnist") -> pd.DataFrame:
    """Rows of a training: learning rate -> how far its loss went, by which half."""
    found = []
    for lr, way in ways.items():
        parts = {"half": 1.0, "final": 0.9, "progress": 0.1 / way}
        for target, value in parts.items():
            at = {"metric": "convergence", "target": target}
            found.append(trials(method, at, {lr: (value,)}, dataset))
    return pd.concat(found)


def chosen(rows: pd.DataFrame) -> list:
    ((lr, value, second, n),) = choose(rows)[
        ["lr", "value", "runner_up", "trials"]
    ].to_numpy()
    return [lr, value, second, n]


def test_a_loss_is_best_low_and_a_rank_high_in_the_mean_over_seeds() -> None:
    values = {0.01: (1.0, 4.0), 0.001: (2.0, 2.0), 0.003: (2.0, 4.0)}
    assert chosen(trials("mae", LOSS, values)) == [0.001, 2.0, 2.5, 6]
    ranks = trials("simsiam", RANK, values)
    far = curves("simsiam", dict.fromkeys(values, 1.0))
    assert chosen(pd.concat([ranks, far])) == [0.003, 3.0, 2.5, 6]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_high_rank_of_an_encoder_that_hardly_trained_is_not_chosen(sign: int) -> None:
    ranks = trials("simsiam", RANK, {0.001: (9.0,), 0.003: (5.0,), 0.01: (4.0,)})
    ways = {0.001: 0.3 * sign, 0.003: 0.5 * sign, 0.01: 1.0}
    assert chosen(pd.concat([ranks, curves("simsiam", ways)]))[:2] == [0.003, 5.0]
    ways = {0.001: 0.5 * sign, 0.003: 0.5, 0.01: 1.0}
    assert chosen(pd.concat([ranks, curves("simsiam", ways)]))[:2] == [0.001, 9.0]
    # A loss is its own judge.
    losses = trials("mae", LOSS, {0.001: (1.0,), 0.01: (2.0,)})
    assert chosen(pd.concat([losses, curves("mae", {0.001: 0.1, 0.01: 1.0})]))[0] == (
        0.001
    )


def test_the_rule_is_the_methods_and_the_other_number_is_not_looked_at() -> None:
    rising, falling = {0.001: (1.0,), 0.01: (2.0,)}, {0.001: (2.0,), 0.01: (1.0,)}
    for method, rule, lr in (("mae", "loss", 0.001), ("byol", "rank", 0.01)):
        for values, wanted in ((rising, lr), (falling, 0.011 - lr)):
            rows = pd.concat([trials(method, m, values) for m in (LOSS, RANK)])
            rows = pd.concat([rows, curves(method, dict.fromkeys(values, 1.0))])
            (row,) = choose(rows).to_dict("records")
            assert (row["rule"], row["lr"]) == (rule, pytest.approx(wanted))


@pytest.mark.parametrize("fate", ["diverged", "collapsed"])
def test_what_was_lost_in_one_seed_loses(fate: str) -> None:
    values = {0.001: (3.0, 3.0), 0.003: (0.0, fate), 0.01: (4.0, 4.0)}
    assert chosen(trials("mae", LOSS, values)) == [0.001, 3.0, 4.0, 6]
    values = {0.001: (3.0, 3.0), 0.003: (9.0, fate), 0.01: (4.0, 4.0)}
    far = curves("byol", dict.fromkeys(values, 1.0))
    rows = pd.concat([trials("byol", RANK, values), far])
    assert chosen(rows)[:3] == [0.01, 4.0, 3.0]


def test_a_collapsed_encoder_loses_whatever_its_loss() -> None:
    losses = trials("barlow_twins", LOSS, {0.001: (1.0,), 0.01: (0.5,)})
    ranks = trials("barlow_twins", RANK, {0.001: (5.0,), 0.01: ("collapsed",)})
    assert chosen(pd.concat([losses, ranks]))[0] == 0.001
    other = ranks.replace({"token": {"mean": "cls"}})
    assert chosen(pd.concat([losses, other]))[0] == 0.01


def test_of_equal_rates_it_is_the_smaller_also_if_all_were_lost() -> None:
    for order in ((0.003, 0.001), (0.001, 0.003)):
        for value in (2.0, "diverged"):
            rows = trials("mae", LOSS, dict.fromkeys(order, (value,)))
            assert chosen(rows)[0] == 0.001
    assert choose(rows)["value"].isna().all()


@pytest.mark.parametrize("fate", ["missing", "timeout", "error"])
def test_a_trial_that_is_not_finished_is_a_line(fate: str) -> None:
    rows = trials("mae", LOSS, {0.001: (1.0,), 0.01: (fate,)})
    with pytest.raises(UsageError, match=f"mae on mnist: a trial of lr 0.01 is {fate}"):
        choose(rows)


def test_rates_that_were_not_tried_on_the_same_seeds_are_a_line() -> None:
    rows = trials("mae", LOSS, {0.001: (1.0, 2.0), 0.01: (1.0,)})
    with pytest.raises(UsageError, match="not every lr has the same seeds; run mae-"):
        choose(rows)


def cost(method: str, step: float, steps: int, **where) -> pd.DataFrame:
    return pd.concat(
        trials(method, {"metric": "training_flops", "target": k}, {0.01: (v,)}, **where)
        for k, v in (("step", step), ("run", step * steps))
    )


def test_at_equal_cost_each_takes_as_many_steps_as_maes_training_pays_for() -> None:
    rows = [cost("mae", 100, 1000), cost("simclr", 320, 1000), cost("byol", 1e6, 1000)]
    rows += [cost("mae", 10, 500, dataset="digits"), cost("u_mae", 5, 1, dataset="x")]
    found = at_equal_cost(pd.concat(rows)).set_index(["dataset", "method"])
    steps = found["steps_at_equal_cost"]
    assert steps["mnist", "mae"] == 1000
    assert steps["mnist", "simclr"] == 312
    assert steps["mnist", "byol"] == 1
    assert steps["digits", "mae"] == 500
    assert pd.isna(steps["x", "u_mae"])
    assert found.loc[("mnist", "simclr"), "flops_step"] == 320


def test_what_is_written_is_what_the_leaderboard_reads(tmp_path: Path) -> None:
    path = tmp_path / "learning_rates.csv"
    path.write_text(",".join(COLUMNS) + "\n")
    here = pd.concat([trials("mae", LOSS, {0.001: (1.0,), 0.01: (2.0,)})])
    write(tune(pd.concat([here, cost("mae", 123456789, 1000)])), path)
    there = trials("mae", LOSS, {0.003: (1.0,)}, dataset="digits")
    write(tune(pd.concat([there, cost("mae", 7, 5, dataset="digits")])), path)
    read = Chosen(AT_EQUAL_COST, path)
    assert read("mnist", "mae", "quick") == {"lr": 0.001, "steps": 1000}
    assert read("digits", "mae", "quick") == {"lr": 0.003, "steps": 5}
    assert "123456789" in path.read_text()
    again = trials("mae", LOSS, {0.001: (3.0,), 0.01: (2.0,)})
    write(tune(pd.concat([again, cost("mae", 7, 9)])), path)
    assert read("mnist", "mae", "quick") == {"lr": 0.01, "steps": 9}
    assert len(path.read_text().splitlines()) == 3


def test_rates_at_an_end_of_the_grid_are_named() -> None:
    rows = trials("mae", LOSS, {0.001: (3.0,), 0.003: (1.0,), 0.01: (2.0,)})
    other = trials("simclr", LOSS, {0.001: (3.0,), 0.003: (2.0,), 0.01: (1.0,)})
    both = pd.concat([rows, other])
    assert at_the_ends(choose(both), both) == ["simclr on mnist"]
