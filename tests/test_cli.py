import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Call = Callable[..., Result]

RESULTS = Path(__file__).parent.parent / "results"
HEAVY = ("torch", "lightning", "pandas", "sklearn", "scipy", "matplotlib", "numpy")


@pytest.mark.parametrize("words", [["--help"], ["list"]], ids=" ".join)
def test_help_and_list_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from mae_bench.cli import app\n"
        f"app({words}, standalone_mode=False)\n"
        f"sys.exit(', '.join({set(HEAVY)} & sys.modules.keys()) or 0)\n"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "mask" in done.stdout


WRONG = (
    ["info", "nonsense"],
    ["run", "--experiment", "nonsense"],
    ["measure", "--method", "nonsense"],
    ["run", "--dry-run", "--dataset", "nonsense"],
    ["evaluate", "my:encoder", "--dataset", "nonsense"],
    *([verb, "--results", "nonsense"] for verb in ("judge", "rank", "plot")),
)


def test_what_is_wrong_is_answered_before_anything_heavy_is_imported() -> None:
    code = (
        "import sys\n"
        "from mae_bench.cli import app\n"
        f"for words in {WRONG}:\n"
        "    try:\n"
        "        app(words)\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 2, words\n"
        f"    assert not {set(HEAVY)} & sys.modules.keys(), words\n"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("error: ") == len(WRONG)


# What fits a buffer is lost at the end; of what does not, and of all that has none, it
# is found while the verb is at work, which is to take it for no fault of the disk.
@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [(["list"], ""), (["list"], "1"), (["judge", "--results", "{results}"], "1")],
    ids=["list-", "list-1", "judge-1"],
)
def test_a_reader_who_goes_is_told_nothing(
    words: list[str], unbuffered: str, tmp_path: Path
) -> None:
    shutil.copytree(RESULTS / "measurements", tmp_path / "r" / "measurements")
    for path in (tmp_path / "r" / "measurements").glob("*.csv"):
        if path.stem not in ("uniformity", "symmetry"):
            path.unlink()
    said = [word.format(results=tmp_path / "r") for word in words]
    call = [sys.executable, "-m", "mae_bench.cli", *said]
    env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    # Of a pipe whose reader is gone before anything is said, all is lost.
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            call, stdout=write, stderr=subprocess.PIPE, text=True, env=env, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_nor_is_one_who_reads_what_is_told_beside_the_results(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        call = [sys.executable, "-m", "mae_bench.cli", "judge", "--results", "nowhere"]
        done = subprocess.run(call, stderr=write, cwd=tmp_path, check=False)
    finally:
        os.close(write)
    assert done.returncode == 141
