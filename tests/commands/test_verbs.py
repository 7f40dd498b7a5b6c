"""The verbs as a notebook calls them."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from torch import nn

import mae_bench as mb
from mae_bench.commands.options import Evaluating
from mae_bench.commands.verbs import evaluation
from mae_bench.records.schema import UsageError

ONE = {
    "experiments": ["leaderboard"],
    "methods": "oracle_latents",
    "datasets": "digits",
    "tier": "smoke",
    "seeds": 1,
    "jobs": 0,
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_from_a_measurement_to_figures_in_a_folder_of_ones_own() -> None:
    rows = mb.measure(**ONE)
    assert set(rows["method"]) == {"oracle_latents"}
    assert set(rows["status"]) <= {"ok", "skipped"}
    assert Path("my_results/smoke/measurements/leaderboard.csv").exists()
    pd.testing.assert_frame_equal(mb.load_results(tier="smoke"), rows)
    verdicts, theories = mb.judge(tier="smoke")
    assert set(verdicts["verdict"]) == {"not_measured"}
    assert len(theories) == len(set(verdicts["theory"]))
    assert list(mb.rank(tier="smoke")["method"]) == ["oracle_latents"]
    assert Path("my_results/smoke/figures/leaderboard.png") in mb.plot(tier="smoke")
    assert not Path("results").exists()


def test_rows_of_two_kinds_of_processor_are_judged_together_and_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mb.measure(**ONE)
    path = Path("my_results/smoke/measurements/leaderboard.csv")
    mb.judge(tier="smoke")
    assert "processor" not in capsys.readouterr().err
    head, first, *others = path.read_text().splitlines()
    first = re.sub(r"processor=[^ ,]*", "processor=Another", first)
    path.write_text("\n".join([head, first, *others]))
    mb.judge(tier="smoke")
    told = capsys.readouterr().err
    assert "rows of 2 kinds of processor are judged together" in told
    assert "Another" in told


def test_rows_of_what_was_asked_and_of_all_that_is_there() -> None:
    mb.measure(**ONE)
    more = mb.measure(**ONE | {"methods": ["pixels"], "results": "my_results/smoke"})
    assert set(more["method"]) == {"pixels"}
    both = mb.load_results("my_results/smoke")
    assert set(both["method"]) == {"pixels", "oracle_latents"}


def test_a_network_is_placed_in_the_leaderboard() -> None:
    board = mb.evaluate(
        nn.Flatten(), datasets=["digits"], tier="smoke", seeds=1, name="flat"
    )
    assert list(board["method"]) == ["flat"]
    assert Path("my_results/evaluated/measurements/flat.csv").exists()
    with pytest.raises(UsageError, match=r"there is no nowhere\.pt"):
        mb.evaluate("nowhere.pt")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"tier": "huge"}, "unknown tier 'huge'; one of smoke, quick, full"),
        ({"rerun": "often"}, "unknown rerun 'often'; one of always, failed"),
        ({"methods": "u_mea"}, "unknown method 'u_mea'; did you mean .*u_mae"),
        ({"device": "tpu"}, "no device 'tpu' here"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    wish: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        mb.measure(**ONE | wish)
    assert not Path("my_results/smoke/measurements/leaderboard.csv").exists()


def test_rows_that_cannot_be_are_refused_before_anything_is_trained() -> None:
    path = Path("my_results/smoke/measurements/leaderboard.csv")
    path.parent.mkdir(parents=True)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="lacks experiment"):
        mb.measure(**ONE)
    assert not Path(".store").exists()


def test_without_measurements_a_verb_says_where_it_looked() -> None:
    for verb in (mb.judge, mb.rank, mb.plot, mb.load_results):
        with pytest.raises(UsageError, match="in my_results/quick or results; run"):
            verb()


def test_the_door_opens_at_once_and_has_the_names_of_what_is_behind() -> None:
    code = (
        "import sys, time; start = time.perf_counter(); import mae_bench as mb;"
        "print(time.perf_counter() - start, 'torch' in sys.modules, dir(mb))"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    seconds, torch, names = done.stdout.split(maxsplit=2)
    assert float(seconds) < 0.1
    assert torch == "False"
    for name in ("measure", "judge", "rank", "evaluate", "load_results", "methods"):
        assert repr(name) in names
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mb.nothing  # noqa: B018


def test_a_track_that_there_is_not_is_refused() -> None:
    wish = Evaluating()
    object.__setattr__(wish, "track", "words")  # past what checks types in tests
    with pytest.raises(UsageError, match="unknown track 'words'; one of pixels, "):
        evaluation(wish, nn.Flatten())
