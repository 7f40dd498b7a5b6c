"""What a reader sees and does in a browser: our pages, and asv's of six commits."""

import csv
import functools
import http.server
import json
import os
import re
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from mae_bench.pages import site as verb
from mae_bench.pages.inputs import COLUMNS
from mae_bench.pages.own import own_page
from mae_bench.pages.page import PAGES
from mae_bench.pages.report import Evidence, evidence, report
from mae_bench.pages.site import fetch, locked, publish, site
from mae_bench.records.schema import UsageError
from mae_bench.verdicts.own import MISSING, OwnVerdicts
from mae_bench.verdicts.own_forecasts import COLUMNS as FORECAST

ROOT = Path(__file__).parent.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
STEP = "quality.Leaderboard.track_error"
STEADY = "speed.time_train_step"


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
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def browse(address: str, profile: Path, *what: str) -> str:
    """The page as a browser makes it, with every other host out of reach."""
    own = [f"--user-data-dir={profile / 'profile'}", "--window-size=1280,800"]
    own += ["--virtual-time-budget=4000", *what, "--dump-dom", address]
    done = subprocess.run(
        [str(BROWSER), *FLAGS, *own],
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


class Tab:
    """A page in a browser that is driven as by a reader, through devtools on a pipe."""

    def __init__(self, profile: Path) -> None:
        heard, self.mouth = os.pipe()
        self.ear, said = os.pipe()
        # The browser listens on 3 and speaks on 4.
        line = f'exec "$0" "$@" 3<&{heard} 4>&{said} 2>/dev/null'
        own = [f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        self.process = subprocess.Popen(
            ["bash", "-c", line, str(BROWSER), *FLAGS, *own], pass_fds=(heard, said)
        )
        os.close(heard)
        os.close(said)
        self.count, self.rest, self.session = 0, b"", ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]

    def close(self) -> None:
        os.close(self.mouth)
        os.close(self.ear)
        self.process.kill()
        self.process.wait()

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.mouth, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                assert select.select([self.ear], [], [], 30)[0], f"no answer: {method}"
                self.rest += os.read(self.ear, 1 << 16)
            answer, _, self.rest = self.rest.partition(b"\0")
            if (found := json.loads(answer)).get("id") == self.count:
                assert "error" not in found, found
                result: dict[str, Any] = found["result"]
                return result

    def js(self, code: str) -> Any:
        """What an expression is on the page."""
        found = self.ask("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def open(self, page: Path, width: int = 1280) -> None:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        self.ask("Page.navigate", url=page.as_uri())
        until = time.monotonic() + 30
        while self.js("document.readyState + location.href") != (
            f"complete{page.as_uri()}"
        ):
            assert time.monotonic() < until
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        codes = {"Tab": 9, "Enter": 13, " ": 32, "Backspace": 8}
        for key in keys:
            code = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0)}
            written = {"Enter": "\r", "Tab": "", "Backspace": ""}.get(key, key)
            self.ask("Input.dispatchKeyEvent", type="keyDown", text=written, **code)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **code)

    def tab_to(self, what: str) -> None:
        """Press Tab until what is focused has these words, or is such an element."""
        for _ in range(60):
            self.press("Tab")
            now = "document.activeElement"
            if self.js(
                f"{now}.matches({what!r}) || !{now}.matches('.scroll') && "
                f"{now}.innerText.includes({what!r})"
            ):
                return
        pytest.fail(f"Tab does not lead to {what}")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if BROWSER is None:
        pytest.skip("needs chromium, to look at the pages")
    opened = Tab(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def somebodys() -> OwnVerdicts:
    """What may be said of somebody's rows: each verdict, a forecast, a lack."""
    every = pd.read_csv(ROOT / "results" / "verdicts.csv")
    mine = every[every["estimate"].notna()].drop_duplicates("verdict")
    words = mine.columns.difference(mine.select_dtypes("number").columns)
    said = dict.fromkeys(("read", "assumed", "unknown", "margin_reason"), "so")
    blank = dict.fromkeys(FORECAST, 0.5) | {"theory": "t", "forecast_of": "grid"}
    forecasts = [blank | {"missing": text, "formula": "f"} for text in ("", "seeds")]
    return OwnVerdicts(
        mine.fillna(dict.fromkeys(words, "")).assign(**said),
        pd.DataFrame([dict.fromkeys(MISSING, "word")]),
        pd.DataFrame(forecasts),
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of our pages, opened as files; they name a graph at length."""
    output = tmp_path_factory.mktemp("ours")
    asv = output / "asv"
    asv.mkdir()
    graphs = {"benchmarks": {f"speed.{'TrainingStep' * 6}": {"unit": "seconds"}}}
    (asv / "index.json").write_text(json.dumps(graphs))
    (asv / "regressions.json").write_text('{"regressions": []}')
    # What was measured is linked to, not shown: two megabytes less to copy.
    report(replace(evidence(ROOT / "results"), measurements=()), output)
    page = own_page(somebodys(), "my.csv", date="2026-01-31")
    (output / "own.html").write_text(page, "utf-8")
    return output


SHOWN = "[...document.querySelectorAll('tbody tr')].filter(r => r.offsetParent)"
VALUES = ["10", "9", "", "-1", "9", "1e1", "", "0.5", "-2", "5e-05"]
RISING = ["m14", "m9", "m15", "m13", "m7", "m10", "m6", "m11", "m8", "m12"]
FALLING = ["m6", "m11", "m7", "m10", "m13", "m15", "m9", "m14", "m8", "m12"]
PROBE = "linear_probe"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaderboard with ties, gaps, and numbers whose order as words is another."""
    with (ROOT / "results" / "leaderboard.csv").open(newline="") as file:
        blank = dict.fromkeys(next(csv.DictReader(file)), "")
    made = [
        blank | {"dataset": "d", "method": f"m{k}", PROBE: value, "mcc_level_0": "1"}
        for k, value in enumerate(VALUES, start=6)
    ]
    output = tmp_path_factory.mktemp("board")
    report(Evidence(made, [], []), output)
    return output / "leaderboard.html"


def column(tab: Tab, k: int = 0) -> list[str]:
    words = f"r.cells[{k}].innerText.split('\\n')[0]"
    found: list[str] = tab.js(f"{SHOWN}.map(r => {words})")
    return found


def sorted_heads(tab: Tab) -> list[list[str]]:
    heads = "[...document.querySelectorAll('th')].filter(h => h.ariaSort)"
    found: list[list[str]] = tab.js(f"{heads}.map(h => [h.innerText, h.ariaSort])")
    return [[words.partition("\n")[0], way] for words, way in found]


def test_a_head_sorts_numbers_as_numbers_and_what_is_missing_last(
    tab: Tab, board: Path
) -> None:
    tab.open(board)
    assert sorted_heads(tab) == []
    click = "[...document.querySelectorAll('th button')].find(b => b.innerText"
    for _ in range(2):
        tab.js(f"{click}.startsWith('linear probe')).click()")
        assert column(tab) == FALLING
        assert sorted_heads(tab) == [["linear probe \N{UPWARDS ARROW}", "descending"]]
        tab.js(f"{click}.startsWith('linear probe')).click()")
        assert column(tab) == RISING
        assert sorted_heads(tab) == [["linear probe \N{UPWARDS ARROW}", "ascending"]]
    tab.js(f"{click}.startsWith('mcc')).click()")
    assert column(tab) == RISING
    tab.js(f"{click}.startsWith('method')).click()")
    assert column(tab) == [f"m{k}" for k in range(6, 16)]
    assert sorted_heads(tab) == [["method", "ascending"]]


def test_a_reader_without_a_mouse_sorts(tab: Tab, board: Path) -> None:
    tab.open(board)
    tab.tab_to("linear probe")
    assert tab.js("document.activeElement.localName") == "button"
    assert tab.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Enter")
    assert column(tab) == FALLING
    tab.press(" ")
    assert column(tab) == RISING


def test_a_reader_without_a_mouse_searches(tab: Tab, ours: Path) -> None:
    tab.open(ours / "leaderboard.html")
    every, said = len(column(tab)), "document.querySelector('output').innerText"
    datasets = tab.js("document.querySelectorAll('section').length")
    assert tab.js(said) == f"{every} of {every} rows"
    tab.tab_to("input")
    tab.press(*"U_mae gaussian")
    assert column(tab) == ["u_mae"] * len(column(tab))
    assert tab.js(said) == f"{len(column(tab))} of {every} rows"
    titles = "[...document.querySelectorAll('h2')].filter(h => h.offsetParent)"
    shown = tab.js(f"{titles}.map(h => h.innerText)")
    assert 0 < len(shown) == len(column(tab)) <= datasets
    assert all("gaussian" in title for title in shown)
    tab.press(*"?")
    assert tab.js(said) == f"0 of {every} rows"
    tab.press(*["Backspace"] * len("U_mae gaussian?"))
    assert len(column(tab)) == every
    assert len(tab.js(f"{titles}.map(h => 1)")) == datasets


def test_a_link_leads_to_a_theory_that_the_search_had_hidden(
    tab: Tab, ours: Path
) -> None:
    tab.open(ours / "theories" / "hierarchical_latents.html")
    tab.js("document.querySelector('input').focus()")
    tab.press(*"no such thing")
    assert tab.js("document.querySelector('output').innerText").startswith("0 of ")
    hidden = "document.getElementById('K5').offsetParent === null"
    assert tab.js(hidden)
    tab.js("document.querySelector('.contents a[href=\"#K5\"]').click()")
    assert tab.js("location.hash") == "#K5"
    assert not tab.js(hidden)
    assert tab.js("document.querySelector('input').value") == ""


def choose(tab: Tab, what: str, value: str) -> None:
    tab.js(
        f"(s => {{ s.value = {value!r}; "
        "s.dispatchEvent(new Event('input', {bubbles: true})); })"
        f"(document.querySelector('select[{what}]'))"
    )


HEADS = "[...document.querySelectorAll('th[data-column]')].filter(h => h.offsetParent)"


def test_a_reader_chooses_world_track_budget_and_columns(tab: Tab, ours: Path) -> None:
    tab.open(ours / "leaderboard.html")
    choose(tab, 'data-filter="world"', "mnist")
    choose(tab, 'data-filter="track"', "augmentations")
    assert {*column(tab, 1)} == {"augmentations"}
    titles = "[...document.querySelectorAll('h2')].filter(h => h.offsetParent)"
    assert tab.js(f"{titles}.map(h => h.innerText)") == ["mnist"]
    names = f"{HEADS}.map(h => h.dataset.column)"
    before = tab.js(names)
    assert {"label_probe", "label_probe_at_cost", "curve"} < {*before}
    assert "linear_probe" not in before
    choose(tab, "data-budget", "cost")
    assert tab.js(names) == ["label_probe_at_cost"]
    choose(tab, "data-budget", "")
    tab.js("document.querySelector('input[data-shows=linear_probe]').click()")
    assert {*tab.js(names)} == {*before, "linear_probe"}


def test_what_it_is_sorted_by_is_said(tab: Tab, board: Path) -> None:
    tab.open(board)
    tab.tab_to("track")
    tab.press("Enter")
    said = tab.js("document.querySelector('output').innerText")
    assert said == "10 of 10 rows, by track, ascending"


def pages_of(folder: Path) -> list[Path]:
    """A page of each kind, and of theories a long one and one without a row."""
    names = [*PAGES, "theories/hierarchical_latents", "theories/discrete_tokens", "own"]
    return [folder / f"{name}.html" for name in names]


def axe() -> str:
    """The checker's script, where npm has laid it."""
    found = os.environ.get("AXE", "")
    places = [Path(found)] if found else []
    places += [ROOT / "node_modules" / "axe-core" / "axe.min.js"]
    for place in places:
        if place.is_file():
            return place.read_text("utf-8")
    pytest.skip(
        "needs axe-core: npm install --no-save axe-core here, or AXE=.../axe.min.js"
    )


def violations(tab: Tab) -> list[str]:
    done = "axe.run(document, {resultTypes: ['violations']})"
    ask = f"{done}.then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))"
    found = tab.ask(
        "Runtime.evaluate", expression=ask, returnByValue=True, awaitPromise=True
    )
    value: list[str] = found["result"]["value"]
    return value


def test_the_checker_finds_what_cannot_be_read(tab: Tab, tmp_path: Path) -> None:
    script = axe()
    bad = tmp_path / "bad.html"
    bad.write_text('<title>t</title><img src="x"><p style="color:#ccc">pale</p>')
    tab.open(bad)
    tab.js(script)
    found = {line.split()[0] for line in violations(tab)}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_no_page_keeps_anybody_out(
    width: int, scheme: str, tab: Tab, ours: Path
) -> None:
    script = axe()
    feature = {"name": "prefers-color-scheme", "value": scheme}
    tab.ask("Emulation.setEmulatedMedia", features=[feature])
    for page in pages_of(ours):
        tab.open(page, width)
        tab.js(script)
        assert violations(tab) == [], page
    tab.ask("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("width", [390, 1400])
def test_no_page_is_wider_than_its_window(width: int, tab: Tab, ours: Path) -> None:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for page in pages_of(ours):
        tab.open(page, width)
        assert tab.js(wide) == 0, page


def test_hostile_words_run_nothing(tab: Tab, tmp_path: Path) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
    with (ROOT / "results" / "leaderboard.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    row |= dict.fromkeys(COLUMNS["leaderboard"].words, hostile)
    row |= {"dataset": f"{hostile} a"}
    report(Evidence([row, {**row, "method": "b"}], [], []), tmp_path)
    tab.open(tmp_path / "leaderboard.html")
    tab.tab_to("input")
    tab.press(*"b")
    tab.tab_to("method")
    tab.press("Enter")
    assert tab.js("document.title") == "The leaderboard - mae_bench"
    assert tab.js("document.querySelectorAll('img, script').length") == 1
    assert hostile in tab.js("document.querySelector('h2').innerText")
