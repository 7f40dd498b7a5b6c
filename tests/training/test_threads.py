"""Threads: as many as the environment says, and others for a while."""

from contextlib import suppress

import pytest
import torch

from mae_bench.training.threads import as_told, threads


@pytest.mark.parametrize(("said", "found"), [(None, 1), ("2", 2)])
def test_one_unless_told(
    said: str | None, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    with threads(3):
        as_told()
        assert torch.get_num_threads() == found


def test_as_many_as_before_afterwards_even_after_an_error() -> None:
    before = torch.get_num_threads()
    while_it_lasted = []
    with suppress(KeyError), threads(before + 1):
        while_it_lasted.append(torch.get_num_threads())
        raise KeyError
    assert [*while_it_lasted, torch.get_num_threads()] == [before + 1, before]
