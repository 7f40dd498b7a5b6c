"""Rooms as mappings."""

import pytest

import mae_bench as mb
from mae_bench.experiments import Experiment
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.records import registry
from mae_bench.records.registry import UnknownName
from mae_bench.theories import Theory


@pytest.mark.parametrize("room", mb.ROOMS)
def test_a_room_maps_ids_to_parts(room: str) -> None:
    parts = getattr(mb, room)
    assert list(parts) == registry.names(room)
    assert len(parts) == len(registry.names(room))
    first = next(iter(parts))
    assert first in parts
    assert parts[first] is registry.load(room, first)


def test_parts_are_what_they_are() -> None:
    assert mb.metrics["linear_r2"] is linear_r2
    assert mb.methods["u_mae"].__name__ == "UMAE"
    assert all(isinstance(t, Theory) for t in dict(mb.theories).values())
    assert all(isinstance(mb.experiments[e], Experiment) for e in mb.experiments)
    with pytest.raises(UnknownName, match="did you mean u_mae"):
        mb.methods["u_mea"]


def test_a_room_is_still_a_package() -> None:
    from mae_bench import methods

    assert methods is mb.methods
    assert methods.Method.__module__ == "mae_bench.methods"
    assert hash(methods) == hash(methods)
