import os

import pytest

from mae_bench.records.machine import cores, memory, processor


def test_there_is_a_processor_and_memory() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    assert memory() > 2**20
    assert processor()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_asked_in_their_own_words(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert cores() == os.cpu_count()
    if system == "win32":
        monkeypatch.delattr("os.sysconf")
        assert memory() == 0
