import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint

import pytest

from mae_bench.methods.mae import MAE
from mae_bench.records import registry
from mae_bench.records.faults import WrongPart
from mae_bench.records.registry import ROOMS, UnknownName


@pytest.mark.parametrize(
    ("room", "name"), [(room, name) for room in ROOMS for name in registry.names(room)]
)
def test_every_file_is_a_part_that_loads_and_has_a_sentence(
    room: str, name: str
) -> None:
    part = registry.load(room, name)
    assert registry.summary(room, name).endswith((".", "?"))
    if isinstance(part, type):
        assert registry.id_of(part) == name
        if room in ("methods", "datasets"):
            assert isinstance(part.version, int)
            assert all(
                v is None or isinstance(v, str | int | float | bool)
                for v in registry.settings(part).values()
            )


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"unknown method 'umae'; did you mean u_mae"):
        registry.load("methods", "umae")
    with pytest.raises(UnknownName, match=r"unknown theory 'xyzzy'.*visible_share"):
        registry.load("theories", "xyzzy")


Guests = Callable[..., None]


@pytest.fixture
def guests(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guests]:
    """Entry points of a room, by their names."""

    def join(room: str, *points: tuple[str, str]) -> None:
        found = tuple(EntryPoint(*point, f"mae_bench.{room}") for point in points)
        monkeypatch.setattr(registry, "_installed", lambda: found)
        registry._guests.cache_clear()
        registry._place.cache_clear()

    yield join
    monkeypatch.undo()
    registry._guests.cache_clear()
    registry._place.cache_clear()


def test_a_guest_joins_by_its_entry_point(guests: Guests) -> None:
    guests("methods", ("my_mae", "mae_bench.methods.mae:MAE"))
    assert "my_mae" in registry.names("methods")
    assert registry.load("methods", "my_mae") is MAE
    assert registry.guests("methods") == ["my_mae"]
    assert registry.id_of(MAE) == "my_mae"
    assert registry.summary("methods", "my_mae") == "from mae_bench.methods.mae:MAE"


def test_a_guest_has_its_entry_points_name_from_wherever_it_is_taken(
    guests: Guests,
) -> None:
    # u_mae's file has imported MAE, as a package's __init__ may have.
    guests("methods", ("my_mae", "mae_bench.methods.u_mae:MAE"))
    assert registry.id_of(MAE) == "my_mae"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([("mae", "mae_bench.methods.u_mae:UMAE")], "mae_bench/methods/mae.py and"),
        ([("a", "x:A"), ("a", "y:A")], "entry point a = x:A and entry point a = y:A"),
    ],
)
def test_two_parts_of_one_id_are_refused_and_still_listed(
    points: list[tuple[str, str]], said: str, guests: Guests
) -> None:
    guests("methods", *points)
    name = points[0][0]
    with pytest.raises(WrongPart, match=f"{said}.* are both methods/{name}; rename"):
        registry.load("methods", name)
    assert name in registry.names("methods")
    assert registry.summary("methods", name)
    assert registry.load("methods", "u_mae")


def test_one_package_found_twice_is_one(guests: Guests) -> None:
    guests("methods", *[("my_mae", "mae_bench.methods.mae:MAE")] * 2)
    assert registry.load("methods", "my_mae") is MAE


def test_settings_follow_keywords_up_the_bases() -> None:
    class Base:
        def __init__(self, world: object, *, width: int = 3, lr: float = 0.1) -> None:
            pass

    class Child(Base):
        def __init__(self, world: object, *, lr: float = 0.2, **rest: int) -> None:
            super().__init__(world, lr=lr, **rest)

    class Closed(Base):
        def __init__(self, *, only: bool = True) -> None:
            pass

    assert registry.settings(Child) == {"lr": 0.2, "width": 3}
    assert registry.settings(Closed) == {"only": True}


class Bare:
    def __init__(self, *, width: int) -> None: ...


class Listed:
    def __init__(self, *, width: list[int] = []) -> None: ...  # noqa: B006


@pytest.mark.parametrize(
    ("part", "said"),
    [(Bare, "of Bare has no default"), (Listed, "of Listed is by default no text")],
)
def test_a_setting_that_no_key_of_a_cell_can_hold_is_refused(
    part: type, said: str
) -> None:
    with pytest.raises(WrongPart, match=f"setting 'width' {said}"):
        registry.settings(part)


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mae_bench.records import registry as r;"
        "[r.summary(room, n) for room in r.ROOMS for n in r.names(room)];"
        "print([m for m in ('torch', 'pandas', 'lightning') if m in sys.modules])"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
    assert time.perf_counter() - start < 5
