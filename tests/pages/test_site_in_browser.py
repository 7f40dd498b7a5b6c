"""What a reader sees of a history of six commits: asv's pages, in a browser."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mae_bench.pages import site as verb
from mae_bench.pages.page import LEAST
from mae_bench.pages.site import fetch, locked, publish, site
from mae_bench.records.schema import UsageError

ROOT = Path(__file__).parent.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
STEP = "quality.Leaderboard.track_error"
STEADY = "speed.time_train_step"
SORTED = "reconstruction error"


def commit(repo: Path, *words: str) -> str:
    clean = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", *who, *words],
        cwd=repo,
        env=clean,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def history(folder: Path) -> Path:
    """A repository of six commits, and asv's results: one doubles at the fourth."""
    commit(folder, "init", "--quiet", "--initial-branch", "main")
    results = folder / "results" / "asv"
    (results / "here").mkdir(parents=True)
    machine = {"machine": "here", "os": "any", "arch": "x86_64", "ram": "1GB"}
    machine |= {"cpu": "one", "num_cpu": "1", "version": 1}
    (results / "here" / "machine.json").write_text(json.dumps(machine))
    blank = {"code": "", "version": "1", "timeout": 60, "params": [], "param_names": []}
    benchmarks: dict[str, object] = {
        name: {**blank, "name": name, "type": kind, "unit": unit}
        for name, kind, unit in (
            (STEP, "track", "1 - R2"),
            (STEADY, "time", "seconds"),
        )
    }
    about = json.dumps({**benchmarks, "version": 2})
    (results / "benchmarks.json").write_text(about)
    for k in range(6):
        date = f"2026-01-0{k + 1}T12:00:00+0000"
        commit(folder, "commit", "-q", "--allow-empty", "-m", f"c{k}", "--date", date)
        sha = commit(folder, "rev-parse", "HEAD")
        record = {
            "commit_hash": sha,
            "env_name": "all",
            "date": 1767268800000 + 86_400_000 * k,
            "params": {"machine": "here", "python": "3.11"},
            "python": "3.11",
            "requirements": {},
            "env_vars": {},
            "result_columns": ["result", "params", "version"],
            "results": {
                STEP: [[0.1 if k < 3 else 0.2], [], "1"],
                STEADY: [[0.5 + 0.001 * (k % 2)], [], "1"],
            },
            "durations": {},
            "version": 2,
        }
        path = results / "here" / f"{sha[:8]}-all.json"
        path.write_text(json.dumps(record))
    (folder / "benchmarks").mkdir()
    shutil.copy(ROOT / "asv.conf.json", folder)
    shutil.copy(ROOT / verb.LOCK, folder / verb.LOCK)
    return results


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a repository with a history."""
    history(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_asvs_own_loader_reads_the_made_up_history(root: Path) -> None:
    code = (
        "import sys, json; from asv.results import iter_results\n"
        "found = [(r.date, r.get_result_value(sys.argv[2], [])) "
        "for r in iter_results(sys.argv[1])]\n"
        "print(json.dumps([value for _, value in sorted(found)]))"
    )
    words = [sys.executable, "-c", code, str(root / "results" / "asv"), STEP]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[0.1]] * 3 + [[0.2]] * 3


def test_asv_finds_the_planted_regression_and_only_that(root: Path) -> None:
    assert publish(root / "results" / "asv", root / "html") == []
    found = json.loads((root / "html" / "regressions.json").read_text())["regressions"]
    ((name, _, _, _, latest, best, jumps),) = found
    assert (name, latest, best) == (STEP, 0.2, 0.1)
    assert [jump[1] for jump in jumps] == [3]  # commits are counted from 0


def test_results_of_a_commit_that_is_on_no_branch_are_told(root: Path) -> None:
    results = root / "results" / "asv" / "here"
    path = next(results.glob("*-all.json"))
    commit(root, "checkout", "--quiet", "--detach")
    commit(root, "commit", "--quiet", "--allow-empty", "-m", "aside")
    record = json.loads(path.read_text())
    record["commit_hash"] = commit(root, "rev-parse", "HEAD")
    (results / f"{record['commit_hash'][:8]}-all.json").write_text(json.dumps(record))
    (warning,) = publish(root / "results" / "asv", root / "html")
    assert record["commit_hash"][:8] in warning


def test_what_asv_refuses_is_one_line(root: Path) -> None:
    config = json.loads((root / verb.CONFIG).read_text())
    (root / verb.CONFIG).write_text(json.dumps({**config, "branches": ["nowhere"]}))
    with pytest.raises(UsageError, match=r"asv publish: .*nowhere") as error:
        publish(root / "results" / "asv", root / "html")
    assert "\n" not in str(error.value)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the whole site with the real scripts, and no internet."""
    if BROWSER is None:
        pytest.skip("needs chromium, to look at the pages")
    folder = tmp_path_factory.mktemp("served")
    results = history(folder)
    try:
        fetch(locked(ROOT / verb.LOCK), folder, offline=True)
    except UsageError as error:
        pytest.skip(
            f"needs the scripts in npm's cache, where make site lays them: {error}"
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        site(ROOT / "results", results, folder / "site", vendor=folder)
        publish(results, folder / "site" / "untouched")
    # Where the browser does what a reader does; the rest of the page is the site's.
    click = f"<script>$('th:contains({SORTED})').eq(0).stupidsort('asc');</script>"
    page = (folder / "site" / "leaderboard.html").read_text("utf-8")
    (folder / "site" / "clicked.html").write_text(page + click, "utf-8")
    handler = functools.partial(Quiet, directory=str(folder / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
    "--virtual-time-budget=4000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def browse(address: str, profile: Path, *what: str) -> str:
    """The page as a browser makes it, with every other host out of reach."""
    own = f"--user-data-dir={profile / 'profile'}"
    done = subprocess.run(
        [str(BROWSER), *FLAGS, own, *what, "--dump-dom", address],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_the_graph_is_drawn_without_internet(served: str, tmp_path: Path) -> None:
    picture = tmp_path / "graph.png"
    address = f"{served}/asv/index.html#{STEP}"
    html = browse(address, tmp_path, f"--screenshot={picture}")
    assert '<canvas class="flot-base"' in html
    # The middle of the plot, free of frame and axes: the line is coloured there.
    with Image.open(picture) as shot:
        plot = shot.convert("RGB").crop((300, 140, 1200, 640))
    colours = plot.getcolors(plot.width * plot.height) or []
    lively = sum(n for n, (r, g, b) in colours if max(r, g, b) - min(r, g, b) > 40)
    assert 300 < lively < 0.1 * plot.width * plot.height


def test_the_planted_regression_is_on_the_rendered_list(
    served: str, tmp_path: Path
) -> None:
    html = browse(f"{served}/asv/index.html#/regressions", tmp_path)
    (row,) = re.findall(r"<tr id=.*?</tr>", html)
    cells = re.sub(r"<[^>]+>", " ", row)
    for word in (STEP, "2026-01-04", "2.00x", "0.100", "0.200"):
        assert word in cells
    assert STEADY not in cells


def test_asvs_own_pages_fail_where_ours_do_not(served: str, tmp_path: Path) -> None:
    html = browse(f"{served}/untouched/index.html", tmp_path)
    assert "failed to load" in html


def test_a_click_sorts_the_leaderboard_and_keeps_what_is_missing_last(
    served: str, tmp_path: Path
) -> None:
    html = browse(f"{served}/clicked.html", tmp_path)
    heads, _, rest = html.partition("<tbody>")
    column = [SORTED in head for head in heads.split("<th ")[1:]].index(True)
    lines = [
        re.findall(r'data-sort-value="([^"]+)"', row)
        for row in rest.partition("</tbody>")[0].split("<tr>")
    ]
    values = [float(line[column]) for line in lines if line]
    assert values == sorted(values)
    assert values[0] < values[1] < values[-1] == -LEAST
    assert 'class="sorting-asc"' in heads
