import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from mae_bench.pages import site as verb
from mae_bench.pages.site import (
    Package,
    fetch,
    graphs,
    localise,
    locked,
    publish,
    site,
    unpack,
)
from mae_bench.records.schema import UsageError

ROOT = Path(__file__).parent.parent.parent


def stand_ins(folder: Path, lock: Path) -> Path:
    """Tarballs that are named like the locked ones and are locked in their place."""
    folder.mkdir()
    packages = []
    for package in locked(ROOT / verb.LOCK):
        with tarfile.open(folder / package.tarball, "w:gz") as archive:
            for name in (package.licence, *package.files.values()):
                content = f"{package.name} {name}".encode()
                member = tarfile.TarInfo(f"package/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        digest = hashlib.sha512((folder / package.tarball).read_bytes()).digest()
        sum_ = f"sha512-{base64.b64encode(digest).decode()}"
        packages.append({**vars(package), "integrity": sum_})
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps({"packages": packages}))
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a lock of stand-ins, and asv before its first result."""
    stand_ins(tmp_path / "tarballs", tmp_path / verb.LOCK)
    shutil.copy(ROOT / verb.CONFIG, tmp_path)
    about = tmp_path / "results" / "asv" / "benchmarks.json"
    about.parent.mkdir(parents=True)
    about.write_text('{"version": 2}')
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    git += ["-c", "commit.gpgsign=false"]
    first = ["commit", "--quiet", "--allow-empty", "--message", "first"]
    for words in (["init", "--quiet", "--initial-branch", "main"], first):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(page: Path) -> list[str]:
    """What a page's scripts and links load."""
    tags = re.findall(r"<(?:script|link)\b[^>]*>", page.read_text("utf-8"))
    found = (re.search(r'(?:src|href)="([^"]+)"', tag) for tag in tags)
    return [match[1] for match in found if match]


def asv_pages() -> Path:
    spec = find_spec("asv")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "www"


def test_the_lock_names_all_that_asvs_pages_load_and_nothing_else() -> None:
    wanted = {
        address
        for page in asv_pages().glob("*.html")
        for address in loaded(page)
        if "//" in address
    }
    packages = locked(ROOT / verb.LOCK)
    files = {address for package in packages for address in package.files}
    assert files == wanted
    for package in packages:
        algorithm, _, sum_ = package.integrity.partition("-")
        assert algorithm == "sha512"
        assert len(base64.b64decode(sum_)) == 64


def test_packages_are_laid_out_with_their_licences(tmp_path: Path) -> None:
    tarballs = stand_ins(tmp_path / "tarballs", tmp_path / "vendor.json")
    packages = locked(tmp_path / "vendor.json")
    found = unpack(packages, tarballs, tmp_path / "out")
    for package in packages:
        home = tmp_path / "out" / "vendor" / f"{package.name}-{package.version}"
        licence = (home / package.licence).read_text()
        assert licence == f"{package.name} {package.licence}"
        for address, name in package.files.items():
            path = tmp_path / "out" / found[address]
            assert path.read_text() == f"{package.name} {name}"


def test_a_tarball_of_another_content_or_none_is_refused(tmp_path: Path) -> None:
    tarballs = stand_ins(tmp_path / "tarballs", tmp_path / "vendor.json")
    first, *_ = packages = locked(tmp_path / "vendor.json")
    path = tarballs / first.tarball
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UsageError, match=first.tarball):
        unpack(packages, tarballs, tmp_path / "out")
    path.unlink()
    with pytest.raises(UsageError, match=f"no {first.tarball}"):
        unpack(packages, tarballs, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_page_is_turned_to_local_files_and_an_unknown_address_is_refused() -> None:
    page = (
        '<link href="own.css"><link rel="stylesheet" href="https://a/b.css" '
        'integrity="sha256-x=" crossorigin="anonymous">'
        "<script src='//c/d.js' onerror=\"f()\"></script>"
        '<a href="https://e">e</a>'
    )
    local = {"https://a/b.css": "../b.css", "//c/d.js": "../d.js", "c/d.js": "no"}
    assert localise(page, local) == (
        '<link href="own.css"><link rel="stylesheet" href="../b.css">'
        "<script src='../d.js' onerror=\"f()\"></script>"
        '<a href="https://e">e</a>'
    )
    with pytest.raises(UsageError, match=r"https://a/b\.css"):
        localise(page, {"//c/d.js": "../d.js"})


@pytest.mark.parametrize(
    ("npm", "why"),
    [
        (None, "npm is not installed"),
        ("echo 'npm error code E404' >&2; echo 'npm error 404' >&2; exit 1", "E404;"),
        ("echo 'no disk' >&2; echo 'at all' >&2; exit 1", "no disk;"),
        ("exec sleep 5", "took over"),
    ],
)
def test_npm_that_fails_is_one_line_with_the_way_out(
    npm: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if npm:
        (tmp_path / "npm").write_text(f"#!/bin/sh\n{npm}\n")
        (tmp_path / "npm").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin" if npm else str(tmp_path)
    monkeypatch.setenv("PATH", path)
    monkeypatch.setattr(verb, "PATIENCE", 0.3)
    with pytest.raises(UsageError, match=why) as error:
        fetch(locked(ROOT / verb.LOCK), tmp_path)
    assert "--vendor" in str(error.value)
    assert "\n" not in str(error.value)


def test_npm_is_asked_for_exact_versions_and_runs_no_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "npm").write_text('#!/bin/sh\necho "$@" > asked\n')
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    fetch([Package("a", "1.2.3", "", "", {})], tmp_path)
    asked = (tmp_path / "asked").read_text().split()
    assert asked[0] == "pack"
    assert asked[-1] == "a@1.2.3"
    assert "--ignore-scripts" in asked


def test_the_site_loads_nothing_from_the_net(root: Path) -> None:
    told: list[str] = []
    pages = site(
        ROOT / "results",
        root / "results" / "asv",
        root / "build" / "site",
        vendor=root / "tarballs",
        told=told.append,
    )
    assert told == []
    home = root / "build" / "site"
    assert {page.parent for page in pages} == {home, home / "theories"}
    every = sorted((root / "build" / "site").rglob("*.html"))
    assert {"overview.html", "error.html"} <= {page.name for page in every}
    local = 0
    for page in every:
        for target in loaded(page):
            assert "//" not in target
            local += (page.parent / target).is_file()
    assert local > 20
    assert [p.name for p in (root / "build").iterdir()] == ["site"]


def test_without_a_history_there_is_a_site_that_says_so(root: Path) -> None:
    told: list[str] = []
    output, vendor = root / "site", root / "tarballs"
    pages = site(ROOT / "results", root / "no", output, vendor=vendor, told=told.append)
    assert "mae-bench history" in told[0]
    assert "no commit has been measured" in pages[0].read_text("utf-8")
    assert not (output / "asv").exists()


def test_an_older_site_is_replaced_and_anything_else_is_left_alone(root: Path) -> None:
    asv, vendor = root / "no", root / "tarballs"
    (root / "precious").mkdir()
    (root / "precious" / "thesis.tex").touch()
    with pytest.raises(UsageError, match="something else"):
        site(ROOT / "results", asv, root / "precious", vendor=vendor)
    assert (root / "precious" / "thesis.tex").exists()

    output = root / "site"
    site(ROOT / "results", asv, output, vendor=vendor)
    (output / "stale.html").touch()
    with pytest.raises(UsageError):
        site(root / "nothing", asv, output, vendor=vendor)
    assert (output / "stale.html").exists()
    site(ROOT / "results", asv, output, vendor=vendor)
    assert not (output / "stale.html").exists()


@pytest.mark.parametrize("lost", ["npm", "tarball", "lock", "config", "asv"])
def test_where_graphs_cannot_be_had_the_site_is_made_and_says_so(
    lost: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor: Path | None = root / "tarballs"
    if lost == "npm":
        vendor = None
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif lost == "tarball":
        next((root / "tarballs").iterdir()).unlink()
    elif lost == "asv":
        (root / "asv.py").write_text("raise ImportError('no asv here')")
    else:
        (root / (verb.LOCK if lost == "lock" else verb.CONFIG)).unlink()
    told: list[str] = []
    output, asv = root / "site", root / "results" / "asv"
    pages = site(ROOT / "results", asv, output, vendor=vendor, told=told.append)
    (line,) = told
    assert re.match(r"asv's graphs are left out: \S", line)
    assert "\n" not in line
    assert "graphs are left out" in pages[0].read_text("utf-8")
    assert all(page.is_file() for page in pages)
    folders = {path.name for path in output.iterdir() if path.is_dir()}
    assert folders == {"figures", "theories", "data"}


def test_pages_of_our_own_ask_neither_for_npm_nor_for_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(words: list[str], **_: object) -> None:
        if words[0] != "git":
            pytest.fail("a program was called")
        raise FileNotFoundError("no git here")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", called)
    pages = site(ROOT / "results", tmp_path / "no", tmp_path / "site")
    assert [loaded(page) for page in pages] == [["data:,"]] * len(pages)


def test_outside_of_a_repository_there_are_no_graphs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="root"):
        graphs(tmp_path, tmp_path / "site")
    with pytest.raises(UsageError, match="root"):
        publish(tmp_path, tmp_path / "html")
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_of_results_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mae-bench run"):
        site(tmp_path / "no", tmp_path, tmp_path / "build" / "site")
    assert list(tmp_path.iterdir()) == []


def test_the_site_has_its_date_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "code", lambda: {"commit": "abc123", "dirty": False})
    (tmp_path / "results").mkdir()
    front, *_ = site(tmp_path / "results", tmp_path, tmp_path / "site")
    words = rf"Made on {datetime.now(UTC).year}-\d\d-\d\d by mae_bench [\d.]+, commit"
    assert re.search(rf"{words} <code>abc123</code>", front.read_text("utf-8"))
