"""What was made is kept only while its sources, the code and it itself are the same."""

from pathlib import Path

import pytest

from mae_bench.records import made
from mae_bench.records.made import FILE, Made


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("a\n1\n")
    return path


@pytest.fixture
def folder(tmp_path: Path, rows: Path) -> Path:
    """Where one group of one figure was drawn of the rows."""
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "one.png").write_bytes(b"png")
    known = Made(folder)
    assert known.kept("one", known.stamp([rows], "word")) is None
    known.note("one", known.stamp([rows], "word"), [folder / "one.png"])
    known.write()
    return folder


def kept(folder: Path, rows: Path, *words: str) -> list[Path] | None:
    known = Made(folder)
    return known.kept("one", known.stamp([rows], *words))


def test_what_did_not_change_is_kept_and_stays_known(folder: Path, rows: Path) -> None:
    for _ in range(2):
        known = Made(folder)
        there = known.kept("one", known.stamp([rows], "word"))
        assert there == [folder / "one.png"]
        known.write()


def test_rows_words_or_the_figure_itself_that_change_do_not_let_it_stay(
    folder: Path, rows: Path
) -> None:
    assert kept(folder, rows, "another word") is None
    assert kept(folder, rows, "word")
    (folder / "one.png").write_bytes(b"pNg")
    assert kept(folder, rows, "word") is None
    (folder / "one.png").unlink()
    assert kept(folder, rows, "word") is None
    (folder / "one.png").write_bytes(b"png")
    rows.write_text("a\n2\n")
    assert kept(folder, rows, "word") is None
    rows.unlink()
    assert kept(folder, rows, "word") is None


def test_other_code_or_another_library_draws_anew(
    folder: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / "mae_bench"
    (house / "pages").mkdir(parents=True)
    code = house / "pages" / "one.py"
    code.write_text("COLOUR = 1\n")
    monkeypatch.setattr(made, "HOUSE", house)
    found = []
    for text in ("COLOUR = 1\n", "COLOUR = 2\n"):
        code.write_text(text)
        made.code.cache_clear()
        found.append(made.code())
    monkeypatch.setattr(made, "version", lambda name: f"{name} of tomorrow")
    made.code.cache_clear()
    found.append(made.code())
    assert len(set(found)) == 3
    assert kept(folder, rows, "word") is None
    made.code.cache_clear()


def test_what_cannot_be_read_of_former_figures_is_drawn(
    folder: Path, rows: Path
) -> None:
    for text in ("", "{", "[]", '{"one": 3}'):
        (folder / FILE).write_text(text)
        assert kept(folder, rows, "word") is None
