"""Two synthetic sides: what is better, worse, the same, unknown or new, and why."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mae_bench.commits import compare as verb
from mae_bench.commits.changes import Change, exit_code
from mae_bench.commits.compare import RESOLUTION, compare, gain, margin, quality
from mae_bench.commits.sides import Side, tidy
from mae_bench.metrics.ceiling_ratio import ceiling_ratio
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.metrics.uniformity import uniformity

# What seeds differ by, on both sides alike, and what they do not share.
WORLDS = (0.02, -0.03, 0.01, 0.04, -0.02)
NOISE = (0.001, -0.002, 0.0005, -0.001, 0.0015)
Rows = list[dict[str, Any]]


@pytest.fixture
def measured(one_row: dict[str, Any]) -> Callable[..., Rows]:
    """Five seeds of one number."""

    def draw(shift: float = 0.0, noisy: bool = False, **columns: Any) -> Rows:
        noise = NOISE if noisy else (0.0,) * 5
        return [
            one_row
            | {"seed": seed, "value": 0.5 + WORLDS[seed] + shift + noise[seed]}
            | columns
            for seed in range(5)
        ]

    return draw


@pytest.fixture
def cell_lost(one_row: dict[str, Any]) -> Callable[..., Rows]:
    """The one row of a cell that failed as a whole."""

    def lose(seed: int, status: str, reason: str = "why", **columns: Any) -> Rows:
        blank = dict.fromkeys(("metric", "view", "token"), "")
        lost = {"metric_version": 0, "value": None, "seed": seed, "status": status}
        return [one_row | blank | lost | {"reason": reason} | columns]

    return lose


def side(rows: Iterable[dict[str, Any]]) -> Side:
    return Side("word", tidy({"e": pd.DataFrame(list(rows))}))


def found(before: Rows, after: Rows, **options: Any) -> list[Change]:
    return compare(side(before), side(after), **options).changes


def only(before: Rows, after: Rows, **options: Any) -> Change:
    (change,) = found(before, after, **options)
    return change


def test_identical_sides_are_the_same_in_every_row(measured) -> None:
    rows = measured() + measured(metric="linear_r2", target="level_0", metric_version=2)
    changes = found(rows, rows)
    assert [change.verdict for change in changes] == ["same", "same"]
    assert exit_code(changes) == 0


@pytest.mark.parametrize(
    ("metric", "shift", "expected"),
    [
        ("linear_probe", -0.1, "worse"),
        ("linear_probe", 0.1, "better"),
        ("linear_probe", 0.002, "same"),
        ("reconstruction_error", -0.1, "better"),
        ("reconstruction_error", 0.1, "worse"),
    ],
)
def test_the_direction_of_the_metric_says_which_way_is_worse(
    metric: str, shift: float, expected: str, measured
) -> None:
    change = only(measured(metric=metric), measured(shift, noisy=True, metric=metric))
    sign = 1 if metric == "linear_probe" else -1
    assert change.verdict == expected
    assert change.change == pytest.approx(sign * shift)
    assert (change.a, change.b) == pytest.approx((0.504, 0.504 + shift))
    assert change.n == 5


def test_seeds_are_paired_so_what_worlds_differ_by_does_not_count(measured) -> None:
    change = only(measured(), measured(-0.04, noisy=True))
    assert change.verdict == "worse"
    shuffled = measured(-0.04, noisy=True)
    values = [row["value"] for row in shuffled]
    crossed = [
        row | {"value": v} for row, v in zip(shuffled, values[::-1], strict=True)
    ]
    assert only(measured(), crossed).verdict == "unknown"


def test_a_shift_that_the_seeds_cannot_separate_is_unknown_and_passes(measured) -> None:
    after = [row | {"value": v} for row, v in zip(measured(), WORLDS, strict=True)]
    change = only(
        measured(metric="uniformity"), [r | {"metric": "uniformity"} for r in after]
    )
    assert change.verdict == "better"  # constant shift: the control of this test
    spread = (0.3, -0.2, 0.1, -0.3, -0.1)
    noisy = [
        r | {"value": r["value"] + d} for r, d in zip(measured(), spread, strict=True)
    ]
    change = only(measured(), noisy)
    assert (change.verdict, change.gap) == ("unknown", False)
    assert exit_code([change]) == 0


@pytest.mark.parametrize("token", ["mean/shuffled", "cls/shuffled", "cls/val"])
def test_what_is_beside_a_read_out_is_left_out(token: str, measured) -> None:
    assert found(measured(token=token), measured(-0.3, token=token)) == []


def test_descriptions_have_no_direction_and_are_left_out(measured) -> None:
    rows = measured(metric="effective_rank"), measured(-0.3, metric="effective_rank")
    assert found(*rows) == []


def test_a_target_is_better_when_nearer() -> None:
    near = replace(linear_r2, direction="target", best=1.0)
    before, after = np.array([0.8, 1.3, 1.1]), np.array([1.1, 1.2, 0.8])
    assert gain(near, before, after) == pytest.approx([0.1, 0.1, -0.1])


def test_margins_are_of_the_range_or_of_best_from_chance_or_relative() -> None:
    assert margin(knn_probe, 0.9) == 0.02
    assert margin(uniformity, -3.0) == pytest.approx(0.16)
    assert margin(linear_r2, 0.001) == 0.02
    assert margin(reconstruction_error, 0.8) == pytest.approx(0.04)
    assert margin(ceiling_ratio, -0.4) == pytest.approx(0.02)
    assert margin(reconstruction_error, 0.0) == RESOLUTION


@pytest.mark.parametrize("status", ["diverged", "error", "out_of_memory", "timeout"])
def test_a_cell_that_failed_is_worse_and_its_seed_leaves_the_rest_unknown(
    status: str, measured, cell_lost
) -> None:
    after = measured()[:4] + cell_lost(4, status)
    cell, number = found(measured(), after)
    assert (cell.verdict, cell.name["metric"]) == ("worse", "")
    assert cell.reason == f"{status} in seed 4: why"
    assert (number.verdict, number.n) == ("unknown", 4)
    assert number.reason == f"in B {status} in seed 4: why"
    assert exit_code([cell, number]) == 1


def test_a_cell_that_works_again_is_better(measured, cell_lost) -> None:
    before = measured()[:4] + cell_lost(4, "diverged")
    cell, number = found(before, measured())
    assert (cell.verdict, cell.reason) == ("better", "was diverged in seed 4: why")
    assert (number.verdict, number.n) == ("same", 4)
    assert exit_code([cell, number]) == 0


def test_cells_that_all_failed_are_told_once(measured, cell_lost) -> None:
    lost = [row for seed in range(5) for row in cell_lost(seed, "diverged")]
    both = measured() + measured(metric="knn_probe", target="k20")
    assert [c.verdict for c in found(both, lost)] == ["worse"]
    assert [c.verdict for c in found(lost, both)] == ["better"]
    assert found(lost, lost) == []


def test_an_instrument_that_failed_is_worse_even_without_a_direction(measured) -> None:
    before = measured() + measured(metric="cka")
    broken = {"status": "error", "value": None, "token": "", "reason": "nan"}
    after = measured() + [row | broken for row in measured(metric="cka")]
    cka, probe = found(before, after)
    assert (cka.verdict, cka.name["metric"]) == ("worse", "cka")
    assert cka.reason == "error in seed 0, 1, 2, 3, 4: nan"
    assert probe.verdict == "same"


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (lambda rows, _: rows()[:3], "in B absent in seed 3, 4"),
        (
            lambda rows, lost: rows()[:3] + lost(3, "missing", "not run yet"),
            "missing in seed 3, 4",
        ),
        (
            lambda rows, _: rows(metric_version=2),
            "versions of the metric differ: 1 -> 2",
        ),
        (lambda rows, _: rows(tier="full"), "tiers differ: quick -> full"),
        (
            lambda rows, _: rows(device="cuda H200"),
            "devices differ: cpu x86_64 -> cuda H200",
        ),
        (lambda rows, _: rows(method="u_mae"), "in B absent in seed 0, 1, 2, 3, 4"),
        (lambda rows, _: rows(mask_ratio=0.5), "in B absent in seed 0, 1, 2, 3, 4"),
        (
            lambda rows, _: rows(status="skipped", value=None, reason="no"),
            "in B skipped in seed 0, 1, 2, 3, 4: no",
        ),
    ],
)
def test_what_cannot_be_held_against_a_is_unknown_with_its_reason(
    after: Callable[..., Rows], reason: str, measured, cell_lost
) -> None:
    changes = found(measured(), after(measured, cell_lost))
    (gap,) = (change for change in changes if change.gap)
    assert gap.verdict == "unknown"
    assert reason in gap.reason
    assert exit_code(changes) == 2


def test_seeds_that_b_lacks_do_not_hide_what_the_others_say(measured) -> None:
    change = only(measured(), measured(-0.2, noisy=True)[:4])
    assert (change.verdict, change.n) == ("worse", 4)


def test_seeds_that_only_b_has_do_not_count(measured) -> None:
    change = only(measured()[:4], measured())
    assert (change.verdict, change.n, change.gap) == ("same", 4, False)


def test_what_only_b_has_is_new_and_passes(measured) -> None:
    changes = found(measured(), measured() + measured(method="u_mae"))
    assert sorted(change.verdict for change in changes) == ["new", "same"]
    assert exit_code(changes) == 0


def test_a_metric_unknown_here_is_not_passed_over(measured) -> None:
    change = only(measured(metric="gone"), measured(metric="gone"))
    assert (change.verdict, change.gap) == ("unknown", True)
    assert "no metric gone here" in change.reason


def test_devices_are_compared_across_only_when_asked_and_that_is_told(measured) -> None:
    before, after = side(measured()), side(measured(-0.2, True, device="cuda H200"))
    assert compare(before, after).changes[0].verdict == "unknown"
    asked = compare(before, after, across_devices=True)
    assert asked.changes[0].verdict == "worse"
    assert asked.notes[0] == "compared across devices: cpu x86_64 -> cuda H200"


def test_a_failure_on_another_device_is_unknown(measured, cell_lost) -> None:
    after = cell_lost(0, "out_of_memory", device="cuda H200")
    change, *_ = quality(side(measured()), side(after))
    assert (change.verdict, change.gap) == ("unknown", True)
    assert "devices differ" in change.reason
    asked, *_ = quality(side(measured()), side(after), across_devices=True)
    assert asked.verdict == "worse"


def test_other_libraries_are_compared_and_told(measured) -> None:
    got = compare(side(measured()), side(measured(versions="torch=3")))
    assert [change.verdict for change in got.changes] == ["same"]
    assert got.notes == ["libraries or processors differ: torch=2 -> torch=3"]


def test_a_ceiling_that_moves_is_told_for_then_the_worlds_are_others(measured) -> None:
    oracle = {"method": "oracle_latents"}
    before, after = side(measured(**oracle)), side(measured(0.1, True, **oracle))
    assert "oracle_latents differs" in compare(before, after).notes[0]
    assert compare(before, before).notes == []


def test_speed_is_compared_unless_told_not_to(measured) -> None:
    before, after = measured(train_seconds=8.0), measured(train_seconds=8.0)
    kinds = [change.kind for change in found(before, after)]
    assert kinds == ["quality", "speed"]
    assert [c.kind for c in found(before, after, speed=False)] == ["quality"]


def test_a_comparison_backwards_mirrors_every_verdict(measured) -> None:
    rng = np.random.default_rng(0)
    sides = [
        [
            row | {"value": row["value"] + rng.normal(shift, 0.004)}
            for target, shift in (("k1", 0.0), ("k2", drop), ("k3", 0.02))
            for row in measured(metric="knn_probe", target=target)
        ]
        for drop in (0.0, -0.2)
    ]
    there, back = found(*sides), found(*sides[::-1])
    mirrored = {"worse": "better", "better": "worse"}
    expected = [mirrored.get(change.verdict, change.verdict) for change in there]
    assert [change.verdict for change in back] == expected
    assert "worse" in {c.verdict for c in there}


def test_rounding_two_equal_numbers_is_no_change(measured) -> None:
    tiny = {"metric": "reconstruction_error", "token": "", "target": "masked"}
    before = [r | tiny | {"value": 1e-6} for r in measured()]
    after = [r | tiny | {"value": 2e-6} for r in measured()]
    assert only(before, after).verdict == "same"
    assert math.isclose(verb.RESOLUTION, 2e-6)
