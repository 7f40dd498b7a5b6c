import csv
from pathlib import Path

import pytest

from mae_bench.pages.scorecard import NEW
from mae_bench.pages.whence import spans, whence
from mae_bench.records.schema import UsageError

HEAD = ("experiment", "tier", "seed", "commit", "versions", "device", "value")


def test_rows_say_their_tiers_seeds_and_commits(tmp_path: Path) -> None:
    rows = {
        "a": [("a", "quick", "0", "c1", "torch=2", "cuda NVIDIA H200 x 2", "1")],
        "b": [("b", "quick", "10", "c0", "processor=EPYC", "cpu x86_64", "")],
    }
    for name, lines in rows.items():
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEAD, *lines])
    (tmp_path / "c.csv").write_text("tier,value\nsmoke,1\n")
    (tmp_path / "d.csv").write_text("")
    (tmp_path / "e.csv").write_text(",".join(HEAD) + "\nhalf,a row\n")
    found = whence(sorted(tmp_path.glob("*.csv")), [])
    assert (found.tiers, found.seeds, found.commits) == (
        ["quick"],
        "0, 10",
        ["c0", "c1"],
    )
    assert found.processors == ["EPYC", "NVIDIA H200"]


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"tier,seed\n\xff,1\n")
    with pytest.raises(UsageError, match=r"cannot read .*a\.csv"):
        whence([tmp_path / "a.csv"], [])


def test_planted_and_unmeasured_claims_are_not_counted() -> None:
    def claim(
        verdict: str, phase: str, standing: str, confirmed: str
    ) -> dict[str, str]:
        row = {"verdict": verdict, "phase": phase, "standing": standing}
        return row | {"confirmed": confirmed}

    rows = [
        claim("supported", "pilot", "theorem", ""),
        claim("refuted", NEW, "derived", "yes"),
        claim("refuted", NEW, "extrapolation", "no"),
        claim("not_measured", "", "theorem", ""),
        claim("refuted", NEW, "planted", "yes"),
    ]
    found = whence([], rows, date="d", commit="c")
    assert (found.pilot, found.new, found.confirmed) == (1, 2, 1)
    assert (found.tiers, found.seeds, found.date, found.commit) == ([], "", "d", "c")


def test_neighbours_are_a_span() -> None:
    assert spans([]) == ""
    assert spans([3]) == "3"
    assert spans([2, 1, 0, 9, 5, 6]) == "0 to 2, 5 to 6, 9"
