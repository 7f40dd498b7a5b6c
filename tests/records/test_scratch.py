import os
from pathlib import Path

from mae_bench.records.scratch import ABANDONED, LEFT, folder_for, sweep, sweep_of


def aged(path: Path, seconds: float) -> Path:
    """As if it had been written so long ago."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))
    return path


def half_made(folder: Path, name: str, seconds: float) -> Path:
    """A folder with a file in it, both left alone for so long."""
    path = folder / name
    path.mkdir()
    (path / "half").write_text("x")
    aged(path / "half", seconds)
    return aged(path, seconds)


def test_a_folder_stands_beside_its_place_and_goes(tmp_path: Path) -> None:
    with folder_for(tmp_path / "site") as new:
        assert new.parent == tmp_path
        (new / "half").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_killed_processes_left_is_swept_and_what_is_being_made_is_not(
    tmp_path: Path,
) -> None:
    old = half_made(tmp_path, ".site.a1b2c3d4", LEFT + 60)
    new = half_made(tmp_path, ".site.zzzzzzzz", LEFT - 60)
    living = half_made(tmp_path, ".site.yyyyyyyy", LEFT + 60)
    (living / "half").write_text("more")
    other = half_made(tmp_path, ".else.a1b2c3d4", LEFT + 60)
    with folder_for(tmp_path / "site"):
        assert not old.exists()
        assert all(path.exists() for path in (new, living, other))


def test_files_are_left_sooner_and_names_are_no_patterns(tmp_path: Path) -> None:
    names = (".a[b].csv.a1b2c3d4", ".ab.csv.a1b2c3d4", "a[b].csv")
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_text("x")
        aged(path, ABANDONED + 60)
    sweep_of(tmp_path / "a[b].csv")
    assert [path.exists() for path in paths] == [False, True, True]
    aged(paths[1], -120)
    sweep(tmp_path, ".*")
    assert paths[1].exists()


def test_a_link_is_removed_and_not_what_it_names(tmp_path: Path) -> None:
    kept = half_made(tmp_path, "kept", LEFT + 60)
    link = tmp_path / ".site.a1b2c3d4"
    link.symlink_to(kept)
    os.utime(link, (1.0, 1.0), follow_symlinks=False)
    sweep_of(tmp_path / "site")
    assert not link.is_symlink()
    assert (kept / "half").exists()
