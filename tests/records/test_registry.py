import subprocess
import sys
import time

import pytest

from mae_bench.records import registry
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


def test_a_guest_joins_by_its_entry_point(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("my_mae", "mae_bench.methods.mae:MAE", "mae_bench.methods")

    def found(group: str) -> list[EntryPoint]:
        return [point] if group == "mae_bench.methods" else []

    monkeypatch.setattr(registry, "entry_points", found)
    registry._guests.cache_clear()
    request.addfinalizer(registry._guests.cache_clear)
    from mae_bench.methods.mae import MAE

    assert "my_mae" in registry.names("methods")
    assert registry.load("methods", "my_mae") is MAE
    assert registry.guests("methods") == (MAE,)
    assert registry.id_of(MAE) == "my_mae"
    assert registry.summary("methods", "my_mae") == "from mae_bench.methods.mae:MAE"


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


def test_a_setting_without_default_is_refused() -> None:
    class Bad:
        def __init__(self, *, width: int) -> None:
            pass

    with pytest.raises(ValueError, match=r"'width'.*no default"):
        registry.settings(Bad)


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
