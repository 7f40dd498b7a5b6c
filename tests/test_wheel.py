"""From a source archive to a wheel that is used outside the repository."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
SOURCES = ("mae_bench", "pyproject.toml", "setup.py", "MANIFEST.in", "constraints.txt")
PROSE = ("README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md")
PUBLISHED = "mae_bench/published/"
MOST = 1_000_000  # bytes of the results in a wheel
ENCODER = """
import torch
from torch import nn

def tiny():
    return nn.Sequential(nn.AvgPool2d(2), nn.Flatten())

def make(mask_ratio, seed):
    torch.manual_seed(seed)
    width = round(64 * (1 - mask_ratio))
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.GELU())
"""
# In one process, which imports once: several calls, and a line between what they say.
CALLS = """
import json, sys
from mae_bench.cli import app
for words in json.loads(sys.argv[1]):
    if app(words, standalone_mode=False):
        sys.exit(words)
    print("----")
"""
SWEEP = ("--sweep", "mask_ratio=0.25,0.5,0.75", "--seeds", "4", "--tier", "smoke")


def done(*words: object, cwd: Path, **env: str) -> str:
    """What a command printed, on both channels; it went well."""
    plain = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ran = subprocess.run(
        [*map(str, words)],
        cwd=cwd,
        env=plain | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of the source archive, which was built of a copy of the tree."""
    home = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            junk = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, home / name, ignore=junk)
        else:
            shutil.copy(path, home / name)
    for name in PROSE:
        shutil.copy(ROOT / name, home / name)
    (home / "results" / "measurements").mkdir(parents=True)
    (home / "results" / "figures").mkdir()
    for path in [
        *(ROOT / "results").glob("*.csv"),
        *(ROOT / "results" / "measurements").glob("leaderboard*.csv"),
        *(ROOT / "results" / "figures").glob("*.png"),
    ]:
        shutil.copy(path, home / path.relative_to(ROOT))
    done(sys.executable, "-m", "build", "--no-isolation", home, cwd=home)
    (source,) = (home / "dist").glob("*.tar.gz")
    with tarfile.open(source) as archive:
        assert any(name.endswith("/CITATION.cff") for name in archive.getnames())
    (built,) = (home / "dist").glob("*.whl")
    return built


def test_the_published_tables_travel_in_it_and_are_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = [i for i in archive.infolist() if i.filename.startswith(PUBLISHED)]
        names = {i.filename.removeprefix(PUBLISHED) for i in found}
        for name in ("leaderboard.csv", "verdicts.csv", "theories.csv"):
            same = (ROOT / "results" / name).read_bytes()
            assert archive.read(PUBLISHED + name) == same
    measured = {name for name in names if name.startswith("measurements/")}
    assert measured == {"measurements/leaderboard.csv"}
    assert sum(i.compress_size for i in found) < MOST


def test_from_it_to_a_page_of_her_own_encoders_outside_the_repository(
    wheel: Path, tmp_path: Path
) -> None:
    home, place = tmp_path / "venv", tmp_path / "somewhere"
    place.mkdir()
    venv.create(home, with_pip=False, symlinks=True)
    where = "Scripts" if os.name == "nt" else "bin"
    pip = (sys.executable, "-m", "pip", "--python", home / where / "python")
    quiet = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    done(*pip, "install", *quiet, wheel, cwd=place)
    of = {"base": str(home), "platbase": str(home)}
    site = Path(sysconfig.get_path("purelib", vars=of))
    # Torch and its like are those of this environment; our own code is the wheel's.
    (site / "shared.pth").write_text(str(Path(torch.__file__).parent.parent))
    command = home / where / "mae-bench"
    assert "hierarchical_latents" in done(command, "list", cwd=place)
    shown = done(command, "info", "deep_linear_dynamics/LW1", cwd=place)
    assert "supported" in shown
    (place / "my_encoder.py").write_text(ENCODER)
    world = ("--dataset", "gaussian_tree")
    one = ("evaluate", "my_encoder.py:tiny", *world, "--seeds", "1")
    calls = json.dumps([one, ("evaluate", "my_encoder.py:make", *world, *SWEEP)])
    run = (home / where / "python", "-u", "-c", CALLS, calls)
    board, said, _ = done(*run, cwd=place, COLUMNS="200").split("----\n")
    assert "tiny" in board
    assert "barlow_twins" in board
    assert "tier smoke is not evidence" in said
    html = (place / "my_results" / "evaluated" / "my_verdicts.html").read_text("utf-8")
    assert "Which theory predicts my_encoder.py:make?" in html
    assert html.count('<svg class="axis"') >= 5
    done(command, "site", cwd=place)
    html = (place / "build" / "site" / "theories.html").read_text("utf-8")
    assert "hierarchical_latents" in html
    left = {p.name for p in place.iterdir() if p.suffix != ".py"}
    assert left - {"__pycache__"} == {"build", "my_results"}
