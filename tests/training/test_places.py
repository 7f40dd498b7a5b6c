"""A device's name and the processors that it stands for."""

import pytest

from mae_bench.training.places import places


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("cpu", ["cpu"]),
        ("cuda", ["cuda"]),
        ("cuda:3", ["cuda:3"]),
        ("cuda:0,1", ["cuda:0", "cuda:1"]),
    ],
)
def test_one_entry_a_processor(device: str, expected: list[str]) -> None:
    assert places(device) == expected
