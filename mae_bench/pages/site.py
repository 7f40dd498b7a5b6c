"""The site: asv's pages and ours in one folder that is read without internet.

Ours need nothing else. asv's load their scripts from the net: here each is taken from
its npm package at build time, held against the sums in ``benchmarks/vendor.json``, and
laid beside the pages with its licence; nothing of them is kept in the repository. Where
asv or a script cannot be had, the site is ours alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from mae_bench.pages.report import evidence, report
from mae_bench.records.schema import UsageError
from mae_bench.records.scratch import folder_for
from mae_bench.runs.provenance import code

CONFIG, LOCK = Path("asv.conf.json"), Path("benchmarks/vendor.json")
MARK = "overview.html"
PATIENCE = 120  # seconds for npm
_TAG = re.compile(r"<(?:script|link)\b[^>]*>")
_REMOTE = re.compile(r"""\b(?:src|href)=["']((?:https?:)?//[^"']+)["']""")
# They speak of the other server, and a page that is opened as a file trips on them.
_GUARDS = re.compile(r'\s(?:integrity|crossorigin|referrerpolicy)="[^"]*"')


@dataclass(frozen=True)
class Package:
    """A package of npm's registry, pinned.

    Args:
        name: Its name there.
        version: Exact version.
        integrity: ``sha512-`` and the base64 sum of its tarball.
        licence: Its file that states the licence.
        files: Address that asv's pages load -> file of the package.
    """

    name: str
    version: str
    integrity: str
    licence: str
    files: Mapping[str, str]

    @property
    def tarball(self) -> str:
        """What npm calls the file."""
        return f"{self.name}-{self.version}.tgz"


def locked(lock: Path = LOCK) -> list[Package]:
    """The packages that the lock names.

    Raises:
        UsageError: There is no lock here.
    """
    if not lock.is_file():
        raise UsageError(f"no {lock} here; they are made in the repository's root")
    return [Package(**entry) for entry in json.loads(lock.read_text())["packages"]]


def fetch(packages: Sequence[Package], folder: Path, *, offline: bool = False) -> None:
    """Have npm lay the tarballs into ``folder``.

    Args:
        packages: What is fetched; npm's own cache is asked first.
        folder: Where to; it exists.
        offline: Ask the cache alone.

    Raises:
        UsageError: There is no npm, or it did not get them.
    """
    wanted = [f"{p.name}@{p.version}" for p in packages]
    flags = ["--ignore-scripts", "--fetch-retries=1", "--loglevel=error"]
    mode = "--offline" if offline else "--prefer-offline"
    way_out = "; with the tarballs at hand: mae-bench site --vendor FOLDER"
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError("npm is not installed" + way_out)
    try:
        subprocess.run(  # noqa: S603 - names and versions come from the lock
            [npm, "pack", *flags, mode, *wanted],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.CalledProcessError as error:
        why = _reason(error.stderr)
        raise UsageError(f"npm did not get the scripts: {why}{way_out}") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"npm took over {PATIENCE} s" + way_out) from error


def _reason(text: str) -> str:
    """The code of npm's error, such as ENOTFOUND; it explains over many lines."""
    code = re.search(r"\bcode (\w+)", text)
    return code[1] if code else text.strip().partition("\n")[0] or "no word"


def unpack(
    packages: Sequence[Package], tarballs: Path, output: Path
) -> dict[str, PurePosixPath]:
    """Lay the packages' files and licences under ``output/vendor``.

    Args:
        packages: What is unpacked.
        tarballs: Folder of ``name-version.tgz``.
        output: Root of the site.

    Returns:
        Address that asv's pages load -> file below ``output``.

    Raises:
        UsageError: A tarball is not there, or is not the one that was locked.
    """
    found: dict[str, PurePosixPath] = {}
    for package in packages:
        path = tarballs / package.tarball
        if not path.is_file():
            raise UsageError(f"no {package.tarball} in {tarballs}")
        sum_ = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        if f"sha512-{sum_}" != package.integrity:
            raise UsageError(f"{path} is not what {LOCK} names: its sum differs")
        home = PurePosixPath("vendor", f"{package.name}-{package.version}")
        with tarfile.open(path) as archive:
            for name in (package.licence, *package.files.values()):
                member = archive.extractfile(f"package/{name}")
                assert member is not None, f"{package.tarball} has no {name}"
                target = output / home / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(member.read())
        found |= {address: home / name for address, name in package.files.items()}
    return found


def localise(page: str, local: Mapping[str, str]) -> str:
    """A page whose scripts and style sheets are local ones.

    Args:
        page: HTML.
        local: Address -> what stands in its place.

    Raises:
        UsageError: It loads an address that ``local`` does not have.

    >>> localise('<script src="//a/b.js" crossorigin="x">', {"//a/b.js": "b.js"})
    '<script src="b.js">'
    """

    def turned(tag: re.Match[str]) -> str:
        remote = _REMOTE.search(tag[0])
        if remote is None:
            return tag[0]
        if remote[1] not in local:
            raise UsageError(f"asv's pages load {remote[1]}, which {LOCK} has not")
        return _GUARDS.sub("", tag[0].replace(remote[1], local[remote[1]]))

    return _TAG.sub(turned, page)


def publish(results: Path, html: Path, config: Path = CONFIG) -> list[str]:
    """Have asv write its pages.

    Args:
        results: asv's results folder.
        html: Where to; replaced.
        config: asv's configuration; its folders of results and pages do not count.

    Returns:
        asv's warnings, such as results that are on no branch.

    Raises:
        UsageError: asv is not installed, or refused.
    """
    if not config.is_file():
        raise UsageError(f"no {config} here; they are made in the repository's root")
    settings = json.loads(config.read_text())
    settings |= {
        "repo": str((config.parent / settings["repo"]).resolve()),
        "benchmark_dir": str((config.parent / settings["benchmark_dir"]).resolve()),
        "results_dir": str(results.resolve()),
        "html_dir": str(html.resolve()),
        "project_url": f"../{MARK}",
    }
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, CONFIG.name)
        own.write_text(json.dumps(settings))
        words = ["-m", "asv", "--config", str(own), "publish", "--no-pull"]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, *words], capture_output=True, text=True, check=False
        )
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line]
    if done.returncode:
        raise UsageError(f"asv publish: {lines[-1] if lines else 'no word'}")
    return [line for line in lines if "warn" in line.lower() or "Couldn't" in line]


def graphs(asv: Path, output: Path, vendor: Path | None = None) -> list[str]:
    """Lay asv's pages into ``output/asv``, and what they load beside them.

    Args:
        asv: asv's results folder.
        output: Root of the site.
        vendor: Folder of the packages' tarballs; from npm if there is none.

    Returns:
        asv's warnings.

    Raises:
        UsageError: asv or a script cannot be had.
    """
    packages = locked()
    warnings = publish(asv, output / "asv")
    with tempfile.TemporaryDirectory() as folder:
        if vendor is None:
            fetch(packages, Path(folder))
        addresses = unpack(packages, vendor or Path(folder), output)
    local = {address: f"../{path}" for address, path in addresses.items()}
    for page in (output / "asv").glob("*.html"):
        page.write_text(localise(page.read_text("utf-8"), local), "utf-8")
    return warnings


def site(
    results: Path,
    asv: Path,
    output: Path,
    *,
    vendor: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Make the site; an older one is replaced once the new one is whole.

    Args:
        results: Folder of our CSVs and figures.
        asv: asv's results folder; without benchmarks there the site has no history.
        output: Where to.
        vendor: Folder of the tarballs that asv's pages need; from npm if there is none.
        told: Hears what is amiss and stops nothing.

    Returns:
        Our pages.

    Raises:
        UsageError: ``output`` holds something else, or ``results`` is no folder or
            has a CSV that cannot be read; nothing was written then.
    """
    if output.exists() and any(output.iterdir()) and not (output / MARK).is_file():
        raise UsageError(f"{output} holds something else than a site; choose another")
    known = evidence(results)
    measured = (asv / "benchmarks.json").is_file()
    output.parent.mkdir(parents=True, exist_ok=True)
    with folder_for(output) as folder:
        fresh = folder / "site"
        if not measured:
            told(f"no asv results in {asv}: no history; run mae-bench history first")
        else:
            try:
                for warning in graphs(asv, fresh, vendor):
                    told(warning)
            except UsageError as why:
                shutil.rmtree(fresh, ignore_errors=True)
                told(f"asv's graphs are left out: {why}")
        pages = report(
            known,
            fresh,
            measured=measured,
            date=datetime.now(UTC).date().isoformat(),
            commit=code()["commit"],
        )
        if output.exists():
            output.rename(folder / "old")
        fresh.rename(output)
    return [output / page.relative_to(fresh) for page in pages]
