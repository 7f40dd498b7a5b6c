"""What is said of parts that cannot be; tests/test_adding.py tries real files."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

from mae_bench.datasets import Dataset
from mae_bench.methods.mae import MAE
from mae_bench.metrics.mcc import mcc
from mae_bench.records import faults, registry
from mae_bench.records.faults import HOUSE, WrongPart, in_one_line, of_import, of_part


def raised(error: type[BaseException], call: Callable[[], object]) -> BaseException:
    with pytest.raises(error) as caught:
        call()
    return caught.value


def run(text: str, path: Path | str) -> BaseException:
    """What a file of that text and place raises while it is imported."""
    return raised(Exception, lambda: exec(compile(text, str(path), "exec"), {}))  # noqa: S102


def test_an_error_is_its_kind_and_its_first_line() -> None:
    assert in_one_line(ValueError(" one\ntwo")) == "ValueError: one"
    assert in_one_line(ValueError()) == "ValueError: "
    assert in_one_line(run("x = (", "a.py")) == "SyntaxError: '(' was never closed"


def test_files_of_ours_are_named_from_the_package_on() -> None:
    assert faults.shown(HOUSE / "methods" / "mae.py") == "mae_bench/methods/mae.py"
    assert faults.shown(Path("/a/b.py")) == "/a/b.py"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nx = y", "line 2: NameError: name 'y' is not defined"),
        ("\n\nx = (", "line 3: SyntaxError: '(' was never closed"),
        ("import nothing_at_all", "line 1: ModuleNotFoundError: No module named "),
    ],
)
def test_an_import_that_failed_is_told_with_file_line_and_cause(
    text: str, said: str
) -> None:
    ours = run(text, HOUSE / "methods" / "new.py")
    assert str(of_import(ours)).startswith(f"mae_bench/methods/new.py, {said}")
    theirs = run(text, "/away/new.py")
    assert of_import(theirs) is None
    told = of_import(theirs, "entry point new")
    assert str(told).startswith(f"entry point new: /away/new.py, {said}")


def test_an_error_of_a_call_is_no_import_that_failed() -> None:
    assert of_import(raised(ZeroDivisionError, lambda: 1 / 0)) is None
    assert (
        of_import(ValueError("never raised"), "here")
        == "here: ValueError: never raised"
    )


def test_a_file_without_the_name_that_it_promises_is_told_what_it_has() -> None:
    module = ModuleType("mae_bench.methods.my_mae")
    vars(module)["Foo"] = type("Foo", (), {"__module__": module.__name__})
    vars(module)["MAE"] = MAE  # imported: not its own
    said = "mae_bench/methods/my_mae.py: no class MyMae in it.* it has Foo$"
    with pytest.raises(WrongPart, match=said):
        faults.named("methods", "my_mae", module)
    vars(module)["MyMAE"] = MAE
    assert faults.named("methods", "my_mae", module) is MAE
    with pytest.raises(WrongPart, match=r"no Metric my_mae in it.* it has none$"):
        faults.named("metrics", "my_mae", module)
    assert faults.named("oracles", "my_mae", module) is module


class World(Dataset):
    version: ClassVar[int] = 1


class Whole(World):
    def sample(self, n: int, generator: object) -> None: ...  # type: ignore[override]


class Versionless(MAE):
    version = None  # type: ignore[assignment]


class Silent(MAE):
    track = "pictures"  # type: ignore[assignment]


class Text(MAE):
    joins = "leaderboard"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("room", "part", "said"),
    [
        ("methods", 3, "new is no Method; derive it from mae_bench.methods.Method"),
        ("methods", Whole, "Whole is no Method; derive it"),
        ("methods", mcc.function, "mcc is no Method"),
        ("methods", Versionless, "Versionless has no version; write version"),
        ("methods", Silent, "Silent has no track; .* one of pixels, augmentations, "),
        ("methods", Text, r"its joins is a text; write joins = \('leaderboard',\)"),
        ("datasets", World, r"World has no sample\(...\); define it"),
        ("predictions", MAE, "MAE is no Form"),
        (
            "metrics",
            mcc.function,
            r"mcc is no Metric; write its facts on it by @metric",
        ),
        ("metrics", mcc, "its function is called mcc; call both alike"),
        ("theories", SimpleNamespace(), "new is no Theory; make it by Theory"),
        ("experiments", Whole, "Whole is no Experiment; make it by Experiment"),
    ],
)
def test_what_a_part_lacks_is_said_with_the_way_out(
    room: str, part: object, said: str
) -> None:
    assert re.match(said, next(of_part(room, "new", part)))


@pytest.mark.parametrize("room", registry.ROOMS)
def test_nothing_is_wrong_with_the_parts_that_there_are(room: str) -> None:
    for name in registry.names(room):
        assert not list(of_part(room, name, registry.load(room, name)))
