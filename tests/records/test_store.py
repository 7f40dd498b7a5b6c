import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mae_bench.records.schema import digest
from mae_bench.records.store import (
    Store,
    StoreError,
    Trained,
    Untouched,
    write_atomically,
)

KEY = "0123456789abcdef"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, told: list[str]) -> Store:
    return Store(tmp_path / "store", told.append)


ENDED = Trained("ok", "", 1.5, "f00d", 0.25, {"commit": "abc"}, [0.75, 0.25])


def filled(store: Store) -> Store:
    store.save_trained(KEY, ENDED, b"weights")
    store.add_scores(KEY, {"mcc v1": [{"value": 0.5}]})
    return store


def test_what_is_saved_is_read_back(store: Store) -> None:
    filled(store)
    assert store.trained(KEY) == ENDED
    assert store.encoder(KEY) == b"weights"
    assert store.scores(KEY) == {"mcc v1": [{"value": 0.5}]}
    assert store.cells() == [KEY]


def test_a_training_of_before_curves_were_kept_is_read(store: Store) -> None:
    path = filled(store).root / "cells" / KEY / "trained.json"
    record = json.loads(path.read_bytes())
    del record["content"]["curve"]
    record["checksum"] = digest(record["content"])
    path.write_text(json.dumps(record))
    assert store.trained(KEY) == replace(ENDED, curve=None)


def test_an_empty_store_has_nothing_and_says_so(store: Store) -> None:
    assert store.trained(KEY) is None
    assert store.scores(KEY) == {}
    assert store.cells() == []


@pytest.mark.parametrize("name", ["trained.json", "scores.json", "encoder.pt"])
@pytest.mark.parametrize("keep", [0, 3, -1])
def test_a_truncated_file_is_moved_aside_and_reported(
    store: Store, told: list[str], name: str, keep: int
) -> None:
    path = filled(store).root / "cells" / KEY / name
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    trained, scores = store.trained(KEY), store.scores(KEY)
    assert not path.exists()
    assert whole[:keep] in [p.read_bytes() for p in store.quarantined()]
    assert any(str(path) in line and "\n" not in line for line in told)
    if name == "scores.json":
        assert scores == {}
    else:
        assert trained is None


def test_a_file_of_another_cell_is_foreign(store: Store, told: list[str]) -> None:
    cells = filled(store).root / "cells"
    other = KEY[::-1]
    (cells / KEY).rename(cells / other)
    assert store.trained(other) is None
    assert store.scores(other) == {}
    assert len(told) == 2


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("scores.json", "0.5", "0.6"), ("trained.json", "1.5", "1.6")],
)
def test_a_number_that_was_changed_is_foreign(
    store: Store, name: str, old: str, new: str
) -> None:
    path = filled(store).root / "cells" / KEY / name
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    assert (store.scores(KEY) if name == "scores.json" else store.trained(KEY)) in (
        {},
        None,
    )
    assert store.quarantined()


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"cell": 1}', "null"])
def test_json_that_is_no_record_is_foreign(store: Store, content: str) -> None:
    path = filled(store).root / "cells" / KEY / "trained.json"
    path.write_text(content)
    assert store.trained(KEY) is None


def test_fields_of_another_version_are_foreign(store: Store, told: list[str]) -> None:
    filled(store)
    store._save(KEY, "trained.json", {"status": "ok", "encoder": "", "mood": 1})
    assert store.trained(KEY) is None
    assert len(told) == len(store.quarantined()) == 1
    assert "trained.json has foreign fields" in told[0]


def test_two_bad_files_of_one_cell_are_both_kept(store: Store) -> None:
    path = filled(store).root / "cells" / KEY / "scores.json"
    for junk in ("one", "two"):
        path.write_text(junk)
        assert store.scores(KEY) == {}
    assert sorted(p.read_text() for p in store.quarantined()) == ["one", "two"]


def test_a_failure_needs_no_weights(store: Store) -> None:
    store.save_trained(KEY, Trained("diverged", "the loss was nan"))
    trained = store.trained(KEY)
    assert trained is not None
    assert trained.status == "diverged"


def test_forgotten_cells_are_gone(store: Store) -> None:
    filled(store).forget(KEY)
    assert store.trained(KEY) is None
    store.forget("never was")


def test_a_disk_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    # A folder where the temporary file's folder should be: fails for root as well.
    with pytest.raises(StoreError, match=r"cannot write .*file/inside"):
        write_atomically(target / "inside", b"new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    write_atomically(target, b"old")

    def full(handle: int) -> None:
        del handle
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_records_are_readable_text(store: Store) -> None:
    text = (filled(store).root / "cells" / KEY / "scores.json").read_text()
    assert json.loads(text)["cell"] == KEY


def test_numbers_are_added_to_those_that_are_there_and_forgotten_by_name(
    store: Store,
) -> None:
    filled(store).add_scores(KEY, {"cka v1": [{"value": 0.25}]})
    store.add_scores(KEY, {"mcc v1": [{"value": 0.75}]})
    expected = {"cka v1": [{"value": 0.25}], "mcc v1": [{"value": 0.75}]}
    assert store.scores(KEY) == expected
    store.forget_scores(KEY, ["mcc v1", "never measured"])
    assert store.scores(KEY) == {"cka v1": [{"value": 0.25}]}


ADDING = """
import sys
from pathlib import Path
from mae_bench.records.store import Store
store = Store(Path(sys.argv[1]))
for i in range(40):
    store.check_writable()
    store.add_scores(sys.argv[2], {f"{sys.argv[3]} {i}": []})
"""


def test_two_runs_on_one_cell_lose_nothing_of_each_other(store: Store) -> None:
    calls = [[sys.executable, "-c", ADDING, str(store.root), KEY, k] for k in "ab"]
    running = [subprocess.Popen(call) for call in calls]
    assert [process.wait() for process in running] == [0, 0]
    assert len(store.scores(KEY)) == 80


def test_a_store_that_is_only_looked_at_is_left_as_it_is(store: Store) -> None:
    filled(store)
    store.add_scores(KEY, {"mcc/1/unmasked": [{"value": 0.5}]})
    path = store.root / "cells" / KEY / "encoder.pt"
    path.write_bytes(b"weig")
    before = {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file()}
    looked = Untouched(store.root)
    assert looked.trained(KEY) is None
    looked.forget(KEY)
    looked.forget_scores(KEY, ["mcc/1/unmasked"])
    assert looked.scores(KEY) == store.scores(KEY)
    assert {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file()} == before


def test_what_a_killed_process_left_half_written_is_swept(store: Store) -> None:
    cell = filled(store).root / "cells" / KEY
    old, new, other = (
        cell / name for name in (".encoder.pt.a1b2c3d4", ".encoder.pt.zzzzzzzz", ".x")
    )
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other, cell / "trained.json"):
        os.utime(path, (1.0, 1.0))
    store.sweep()
    assert not old.exists()
    assert new.exists(), "somebody may be writing it"
    assert other.exists()
    assert store.trained(KEY) == ENDED


@pytest.mark.parametrize("name", ["trained.json", "scores.json", "encoder.pt"])
def test_a_pipe_in_the_place_of_a_file_makes_nobody_wait(
    store: Store, told: list[str], name: str
) -> None:
    path = filled(store).root / "cells" / KEY / name
    path.unlink()
    os.mkfifo(path)
    trained, scores = store.trained(KEY), store.scores(KEY)
    assert (scores == {}) if name == "scores.json" else (trained is None)
    assert not path.exists()
    assert any(str(path) in line for line in told)


def test_json_that_is_too_deep_is_foreign(store: Store) -> None:
    path = filled(store).root / "cells" / KEY / "trained.json"
    path.write_text("[" * 100_000 + "]" * 100_000)
    assert store.trained(KEY) is None


@pytest.mark.parametrize("status", ["ok", "diverged", "timeout"])
def test_how_far_a_training_is_goes_with_its_end_but_not_with_its_time(
    tmp_path: Path, status: str
) -> None:
    store = Store(tmp_path)
    going = store.unfinished("key")
    going.parent.mkdir()
    going.write_bytes(b"so far")
    store.save_trained("key", Trained(status), b"weights")
    assert going.exists() == (status == "timeout")
    assert store.cells() == ["key"]


def spoil(path: Path) -> None:
    path.write_text("{}")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("scores.json", spoil, ["scores.json is not this cell's"]),
        ("scores.json", pipe, ["scores.json is no file"]),
        ("trained.json", spoil, ["trained.json is not this cell's"]),
        ("trained.json", pipe, ["trained.json is no file"]),
        ("encoder.pt", Path.unlink, ["trained.json lost its weights"]),
        (
            "encoder.pt",
            spoil,
            ["encoder.pt is truncated or foreign", "trained.json lost its weights"],
        ),
    ],
)
def test_what_is_moved_aside_is_told_with_its_reason_and_its_new_place(
    store: Store,
    told: list[str],
    name: str,
    harm: Callable[[Path], None],
    said: list[str],
) -> None:
    cell = filled(store).root / "cells" / KEY
    harm(cell / name)
    store.trained(KEY)
    store.scores(KEY)
    aside = store.root / "quarantine"
    assert told == [
        f"{cell}/{what}: moved to {aside}/{KEY}-{what.split()[0]}.0; "
        "the cell will be run again"
        for what in said
    ]


def test_a_cell_that_is_forgotten_leaves_no_file(store: Store) -> None:
    filled(store).forget(KEY)
    assert not [*(store.root / "cells" / KEY).iterdir()]


def test_a_store_and_its_files_are_for_everyone_to_read(store: Store) -> None:
    files = [*(filled(store).root / "cells" / KEY).iterdir()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}


def test_a_store_that_can_be_written_is_left_empty_and_another_is_said(
    store: Store, tmp_path: Path
) -> None:
    store.check_writable()
    assert [*store.root.iterdir()] == []
    (tmp_path / "file").write_text("mine")
    blocked = Store(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot write"):
        blocked.check_writable()
    with pytest.raises(StoreError, match=r"cannot write .*file/\.lock"):
        blocked.add_scores(KEY, {})


def test_what_cannot_be_moved_aside_is_said(store: Store) -> None:
    path = filled(store).root / "cells" / KEY / "scores.json"
    path.write_text("{}")
    (store.root / "quarantine").write_text("mine")
    with pytest.raises(StoreError, match=r"cannot move .*scores\.json aside"):
        store.scores(KEY)


def test_what_takes_a_files_place_has_reached_the_disk_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    replace_file = os.replace

    def put(old: str, new: Path) -> None:
        seen.append(new)
        replace_file(old, new)

    monkeypatch.setattr(os, "fsync", lambda file: seen.append(os.fstat(file).st_size))
    monkeypatch.setattr(os, "replace", put)
    write_atomically(tmp_path / "file", b"whole")
    assert seen == [5, tmp_path / "file"]


def test_the_order_in_which_numbers_came_does_not_change_a_file(store: Store) -> None:
    written = set()
    for names in ("ab", "ba"):
        store.forget(KEY)
        store.add_scores(KEY, {name: [] for name in names})
        written.add((store.root / "cells" / KEY / "scores.json").read_bytes())
    assert len(written) == 1
