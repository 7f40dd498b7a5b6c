import os

import pytest

from mae_bench.records.machine import cores, memory, of_row, processor


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


@pytest.mark.parametrize(
    ("device", "versions", "kind"),
    [
        ("cuda NVIDIA H200", "processor=EPYC", "NVIDIA H200"),
        ("mps arm64", "torch=2 processor=Apple-M1-DEFAULT", "Apple-M1-DEFAULT"),
        ("cpu x86_64", "torch=2 coprocessor=no", ""),
        ("", "", ""),
    ],
)
def test_a_row_says_what_it_was_computed_on(
    device: str, versions: str, kind: str
) -> None:
    assert of_row(device, versions) == kind
