"""Where verbs read and write: one's own folder, and the published evidence."""

import re
from pathlib import Path

import pytest

from mae_bench.records import folders as rule
from mae_bench.records.folders import (
    PUBLISHED,
    Folders,
    beside,
    folders,
    keep_apart,
    note,
    own,
    published,
    registered,
    registrations,
    shown,
)
from mae_bench.records.schema import UsageError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def measured(folder: Path) -> Path:
    (folder / "measurements").mkdir(parents=True)
    (folder / "measurements" / "mask_ratio.csv").write_text("")
    return folder


def test_the_published_evidence_is_read_and_ones_own_folder_written() -> None:
    measured(PUBLISHED)
    assert folders(None, "quick") == Folders(PUBLISHED, own("quick"))
    assert str(folders(None, "quick")) == "read results, wrote my_results/quick"
    assert beside(None, "quick") == PUBLISHED


def test_what_one_has_measured_comes_first() -> None:
    measured(PUBLISHED)
    mine = measured(own("quick"))
    assert folders(None, "quick") == Folders(mine, mine)
    assert str(folders(None, "quick")) == "read and wrote my_results/quick"
    assert beside(None, "quick") == mine


def test_a_tier_has_a_folder_of_its_own_and_nothing_published() -> None:
    measured(PUBLISHED)
    measured(own("quick"))
    with pytest.raises(UsageError, match=r"no measurements in my_results/smoke; run"):
        folders(None, "smoke")
    mine = measured(own("smoke"))
    assert folders(None, "smoke").read == mine


def test_a_folder_that_is_named_is_read_and_written() -> None:
    measured(PUBLISHED)
    measured(own("quick"))
    assert folders(PUBLISHED, "smoke") == Folders(PUBLISHED, PUBLISHED)
    with pytest.raises(UsageError, match="no measurements in nowhere; run mae-bench"):
        folders(Path("nowhere"), "quick")
    assert beside("nowhere", "quick") == Path("nowhere")


def test_without_any_measurements_both_places_are_named() -> None:
    with pytest.raises(UsageError, match="in my_results/quick or results; run"):
        folders(None, "quick")


def test_what_was_made_of_published_measurements_is_found_before_the_published() -> (
    None
):
    measured(PUBLISHED)
    (PUBLISHED / "verdicts.csv").write_text("theirs")
    where = folders(None, "quick")
    assert where.find("verdicts.csv") == PUBLISHED / "verdicts.csv"
    assert where.find("leaderboard.csv") == own("quick") / "leaderboard.csv"
    own("quick").mkdir(parents=True)
    (own("quick") / "verdicts.csv").write_text("mine")
    assert where.find("verdicts.csv") == own("quick") / "verdicts.csv"


def test_settings_of_ones_own_name_a_folder() -> None:
    assert own("quick", ["dataset.grey=True", "method.lr=0.1"]).name == (
        "quick-grey=True-lr=0.1"
    )
    photos = [own("quick", [f"dataset.path=/my{c}photos"]).name for c in "/ "]
    assert all(re.fullmatch(r"quick-path=-my-photos-\w{8}", n) for n in photos)
    assert photos[0] != photos[1]
    assert len(own("quick", [f"dataset.path={'x' * 300}"]).name) < 100
    assert own("quick", ["dataset.path=../x"]).parent == own("quick").parent


def test_a_folder_has_rows_of_the_same_settings_alone(tmp_path: Path) -> None:
    mine = ["method.steps=30"]
    note(tmp_path, mine)
    keep_apart(tmp_path, [])  # nothing was measured there
    measured(tmp_path)
    keep_apart(tmp_path, mine)
    line = r"settings \(there: method.steps=30; now: none\); name another folder"
    with pytest.raises(UsageError, match=line):
        keep_apart(tmp_path, [])
    note(tmp_path, [])
    keep_apart(tmp_path, [])
    with pytest.raises(UsageError, match=r"\(there: none; now: method.steps=30\)"):
        keep_apart(tmp_path, mine)


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "[1]", "no json", ""])
def test_settings_that_cannot_be_read_are_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(UsageError, match=r"cannot read .*settings\.json .*; remove it"):
        keep_apart(tmp_path, [])


def test_outside_the_repository_it_is_what_came_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert published() == PUBLISHED
    monkeypatch.setattr(rule, "TAKEN_ALONG", measured(tmp_path / "package"))
    assert beside(None, "quick") == shown(None, "quick") == tmp_path / "package"
    # It has not all the measurements, and is not judged.
    with pytest.raises(UsageError, match="no measurements in my_results/quick or"):
        folders(None, "quick")
    PUBLISHED.mkdir()  # somebody's, of other things
    assert published() == tmp_path / "package"
    measured(PUBLISHED)
    assert beside(None, "quick") == shown(None, "quick") == PUBLISHED


def test_outside_a_checkout_that_the_package_runs_from_it_is_read_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = measured(tmp_path / "checkout" / "results")
    (there / "registered.csv").write_text("")
    monkeypatch.setattr(rule, "CHECKOUT", there)
    monkeypatch.setattr(rule, "TAKEN_ALONG", measured(tmp_path / "package"))
    assert published() == beside(None, "quick") == shown(None, "quick") == there
    assert folders(None, "quick") == Folders(there, own("quick"))
    assert registrations() == Folders(there, own("quick"))
    assert registered() == there / "registered.csv"
    own("quick").mkdir(parents=True)
    (own("quick") / "registered.csv").write_text("mine")
    assert registered() == own("quick") / "registered.csv"
    measured(PUBLISHED)
    assert published() == PUBLISHED
    assert registrations() == Folders(PUBLISHED, PUBLISHED)
