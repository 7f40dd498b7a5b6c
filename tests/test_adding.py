"""Adding is one file: a right one joins, a wrong one is a line, whatever the verb."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mae_bench.records import registry

ROOT = Path(__file__).parent.parent

# What is imported of others is imported once; each case is a process of its own, in
# which the package is imported with the case's files.
DRIVER = """
import json, os, pathlib, sys
import lightning, torchmetrics, sklearn.linear_model, kornia, pandas, typer.testing

def say(words):
    from mae_bench.cli import app
    found = typer.testing.CliRunner().invoke(app, words)
    bug = "" if isinstance(found.exception, SystemExit) else repr(found.exception)
    return [found.exit_code, found.stdout, found.stderr, bug]

def put(texts):
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True) if text is None else path.write_text(text)

for name, (files, calls) in json.load(sys.stdin).items():
    files = {pathlib.Path(path): text for path, text in files.items()}
    before = {path: path.read_text() if path.exists() else None for path in files}
    put(files)
    if not os.fork():
        print(json.dumps({name: [say(words) for words in calls]}), flush=True)
        os._exit(0)
    os.wait()
    put(before)
"""


class Said(NamedTuple):
    """What a call of the command line came to."""

    code: int
    out: str
    err: str
    bug: str


HEAD = '"""A part."""\n\n'
MAE = HEAD + "from mae_bench.methods.mae import MAE\n\n"
METHOD = HEAD + "from mae_bench.methods import Method\n\n"
METRIC = HEAD + "from mae_bench.metrics import metric\n\n"
FACTS = 'reads="latents", direction="max", version=1, source="me"'
# Part -> its text, and what is said of it after its file.
WRONG = {
    "methods/syntax": ("class Syntax(:\n", ", line 1: SyntaxError: invalid syntax"),
    "methods/missing": (
        HEAD + "import no_such_module\n",
        ", line 3: ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "methods/raises": (HEAD + "x = 1 / 0\n", ", line 3: ZeroDivisionError: division"),
    "methods/exits": (HEAD + "import sys\nsys.exit(3)\n", ", line 4: SystemExit: 3"),
    "methods/misnamed": (
        MAE + "class Other(MAE):\n    pass\n",
        ": no class Misnamed in it, as its name asks; it has Other",
    ),
    "methods/no_method": (
        HEAD + "class NoMethod:\n    pass\n",
        ": NoMethod is no Method; derive it from mae_bench.methods.Method",
    ),
    "methods/featureless": (
        METHOD + "class Featureless(Method):\n    version = 1\n",
        ": Featureless has no features(...); define it",
    ),
    "methods/needy": (
        MAE + "class Needy(MAE):\n    def __init__(self, d, g, *, width, **k): ...\n",
        ": setting 'width' of Needy has no default",
    ),
    "methods/placed": (
        MAE + "class Placed(MAE):\n    def __init__(self, d, g, width=3, **k): ...\n",
        ": setting 'width' of Placed may be positional; write * before it",
    ),
    "methods/lost": (
        MAE + 'class Lost(MAE):\n    joins = ("leaderbord",)\n',
        ": joins 'leaderbord', no experiment; did you mean leaderboard, ",
    ),
    "datasets/no_world": (
        HEAD + "class NoWorld:\n    pass\n",
        ": NoWorld is no Dataset; derive it from mae_bench.datasets.Dataset",
    ),
    "metrics/no_facts": (
        HEAD + "def no_facts(train, val, test): ...\n",
        ": no_facts is no Metric; write its facts on it by @metric(...)",
    ),
    "metrics/few_facts": (
        METRIC + '@metric(reads="latents")\ndef few_facts(train, val, test): ...\n',
        ", line 5: TypeError: metric() missing 3 required keyword-only arguments: ",
    ),
    "metrics/another": (
        METRIC + f"@metric({FACTS})\ndef other(*_): ...\n\nanother = other\n",
        ": its function is called other; call both alike",
    ),
    "theories/no_theory": (
        HEAD + "NO_THEORY = 3\n",
        ": no_theory is no Theory; make it by Theory(...)",
    ),
    "experiments/halved": (
        HEAD + "from mae_bench.experiments import Experiment\n\n"
        'HALVED = Experiment(question="?")\n',
        ", line 5: TypeError: Experiment.__init__() missing 5 required",
    ),
}
VERBS = {
    "run": "run --tier smoke --experiment symmetry",
    "measure": "measure --tier smoke --experiment symmetry",
    "judge": "judge",
    "rank": "rank",
    "plot": "plot",
    "site": "site",
    "evaluate": "evaluate nothing:at_all",
    "info": "info leaderboard",
}
ENTRY = "guests/guest-1.dist-info/"
GUESTS = {
    "away": ("methods", "no_package:Away", "ModuleNotFoundError: No module named"),
    "bare": ("methods", "guest:Bare", "AttributeError: module 'guest' has no"),
    "shy": ("metrics", "guest:shy", "shy is no Metric; write its facts"),
    "ill": ("datasets", "ill:Ill", "{guests}/ill.py, line 1: SyntaxError: "),
}
GUEST = """
from mae_bench.datasets.digits import Digits
from mae_bench.methods.mae import MAE
from mae_bench.metrics import metric

class Theirs(MAE): ...
class World(Digits):
    joins = ()
@metric(reads="latents", direction="max", version=1, source="they")
def theirs(*_): ...
def shy(*_): ...
"""


def entry_points(**groups: str) -> dict[str, str]:
    """An installed package that has them: files by path."""
    points = "".join(f"[mae_bench.{g}]\n{line}\n" for g, line in groups.items())
    return {
        f"{ENTRY}METADATA": "Metadata-Version: 2.1\nName: guest\nVersion: 1\n",
        f"{ENTRY}entry_points.txt": points,
        "guests/guest.py": GUEST,
        "guests/ill.py": "x = (\n",
    }


def cases() -> dict[str, Any]:
    """Name -> files, and the calls that are made with them."""
    found: dict[str, Any] = {}
    for part, (text, _) in WRONG.items():
        files = {f"mae_bench/{part}.py": text}
        found[part] = files, [["info", part], ["list", "--json"]]
    broken = {"mae_bench/metrics/linear_probe.py": "x = (\n"}
    for verb, words in VERBS.items():
        found[verb] = broken, [words.split()]
    for name, (room, value, _) in GUESTS.items():
        files = entry_points(**{room: f"{name} = {value}"})
        found[name] = files, [["info", f"{room}/{name}"], ["list", "--json"]]
    files = entry_points(
        methods="a_guest = guest:Theirs",
        datasets="a_world = guest:World",
        metrics="theirs = guest:theirs",
    )
    mine = MAE + 'class Mine(MAE):\n    joins = ("symmetry",)\n'
    told = {"mae_bench/methods/mine.py": mine, **files}
    board, symmetry = (["info", e, "--json"] for e in ("leaderboard", "symmetry"))
    found["joined"] = told, [board, symmetry]
    return found


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, with some measurements."""
    folder = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mae_bench", folder / "mae_bench", ignore=ignored)
    measured = folder / "results" / "measurements"
    measured.mkdir(parents=True)
    (folder / "guests").mkdir()
    shutil.copy(ROOT / "results" / "measurements" / "symmetry.csv", measured)
    return folder


@pytest.fixture(scope="module")
def said(tree: Path) -> dict[str, list[Said]]:
    """What every case came to."""
    paths = os.pathsep.join([str(tree), str(tree / "guests")])
    env = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-c", DRIVER]
    told = json.dumps(cases())
    done = subprocess.run(
        call, cwd=tree, env=env, input=told, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {k: [Said(*x) for x in v] for line in lines for k, v in line.items()}


def one_line(found: Said, start: str) -> None:
    """It is bad usage, told in a line."""
    assert (found.code, found.out, found.bug) == (2, "", "")
    assert found.err.startswith(f"error: {start}")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize("part", WRONG)
def test_a_wrong_part_is_a_line_and_the_others_are_listed(
    part: str, said: dict[str, list[Said]]
) -> None:
    told, listed = said[part]
    one_line(told, f"mae_bench/{part}.py{WRONG[part][1]}")
    assert (listed.code, listed.err) == (0, "")
    found = json.loads(listed.out)
    room, _, name = part.partition("/")
    assert name in found[room]
    assert all(registry.names(r)[0] in found[r] for r in registry.ROOMS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_that_loads_a_wrong_part_says_so(
    verb: str, said: dict[str, list[Said]]
) -> None:
    where = "mae_bench/metrics/linear_probe.py, line 1"
    one_line(said[verb][0], f"{where}: SyntaxError: '(' was never closed")


@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_that_cannot_be_had_is_a_line_with_its_entry_point(
    name: str, said: dict[str, list[Said]], tree: Path
) -> None:
    room, value, why = GUESTS[name]
    told, listed = said[name]
    why = why.format(guests=tree / "guests")
    one_line(told, f"entry point {name} = {value}: {why}")
    assert json.loads(listed.out)[room][name] == f"from {value}"


def test_guests_and_files_that_join_are_run_where_they_say(
    said: dict[str, list[Said]],
) -> None:
    board, symmetry = (json.loads(found.out) for found in said["joined"])
    assert {"a_guest", "mae"} <= set(board["methods"])
    # Worlds and metrics of guests are compared, whatever they join.
    assert "a_world" in board["datasets"]
    assert "theirs" in board["metrics"]
    assert "mine" not in board["methods"]
    assert symmetry["methods"] == ["mae", "mine"]
    assert symmetry["datasets"] == ["gaussian_tree"]
