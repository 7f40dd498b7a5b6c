"""Instructions of a step: who counts them, and what is worse by more than 1 %."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import instructions
from benchmarks.instructions import (
    FEWER,
    MORE,
    NoCounter,
    a_step,
    by_valgrind,
    compared,
    counter,
    perf_count,
    valgrind_count,
)

START, STEP = 10_000_000, 5_000


def counted(command: Sequence[str]) -> int:
    """A process that costs so much to start, and so much a step."""
    return START + STEP * int(command[-1])


def test_what_the_tools_tell_is_read_and_silence_is_no_count() -> None:
    assert perf_count("# started\n\n1234,,instructions:u,99,100.00,,\n") == 1234
    assert valgrind_count("==7== \n==7== I refs:        1,234,567\n") == 1_234_567
    with pytest.raises(NoCounter, match="perf counts no instructions"):
        perf_count("<not supported>,,instructions:u,0,100.00,,\n")
    with pytest.raises(NoCounter, match="valgrind told no number"):
        valgrind_count("killed")


def test_a_step_is_what_more_of_them_cost_more() -> None:
    assert a_step("S", counted) == STEP
    assert MORE > FEWER > 0


def test_valgrind_counts_alike_twice() -> None:
    if not shutil.which("valgrind"):
        pytest.skip("no valgrind here")
    one, two = (by_valgrind(["/bin/true"]) for _ in range(2))
    assert one > 10_000
    assert abs(one / two - 1) < 0.01
    with pytest.raises(NoCounter, match="valgrind failed"):
        by_valgrind(["/bin/false"])


def test_without_a_counter_it_says_so_and_a_dumb_perf_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def dumb(_: Sequence[str]) -> int:
        raise NoCounter("nothing")

    monkeypatch.setattr(instructions, "by_perf", dumb)
    monkeypatch.setattr(instructions.shutil, "which", lambda _: "/bin/it")
    assert counter() == ("valgrind", by_valgrind)
    monkeypatch.setattr(instructions.shutil, "which", lambda _: None)
    with pytest.raises(NoCounter, match="install perf or valgrind"):
        counter()


def table(**cost: float) -> pd.DataFrame:
    rows = [
        {"cell": c, "tool": "perf", "instructions_a_step": n} for c, n in cost.items()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(102, "worse"), (100.9, "same"), (99.1, "same"), (98, "better")],
)
def test_a_change_of_more_than_one_per_cent_is_seen(after: float, verdict: str) -> None:
    assert list(compared(table(S=100.0), table(S=after))["verdict"]) == [verdict]


def test_other_tools_and_cells_are_not_held_against_each_other() -> None:
    other = table(S=1.0, M=2.0).assign(tool="valgrind")
    assert compared(table(S=1.0), other).empty
    assert compared(table(S=1.0), table(M=1.0)).empty


def test_it_ends_with_1_where_a_step_costs_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions, "counter", lambda: ("perf", counted))
    path = tmp_path / "before.csv"
    assert instructions.main(["--output", str(path)]) == 0
    assert instructions.main(["--against", str(path)]) == 0
    monkeypatch.setattr(
        instructions, "counter", lambda: ("perf", lambda c: 2 * counted(c))
    )
    assert instructions.main(["--against", str(path)]) == 1
    assert re.search(r"S +perf +2.0+ +worse", capsys.readouterr().out)
