"""What is said of the project beside its code: version, changes, how to cite it."""

import re
import tomllib
from pathlib import Path

import yaml

import mae_bench

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
CHANGES = (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_place_names_the_same_version() -> None:
    assert CITATION["version"] == PROJECT["version"] == mae_bench.__version__
    assert re.findall(r"^## (.+)$", CHANGES, re.M) == ["Unreleased", PROJECT["version"]]
    assert f"version = {{{PROJECT['version']}}}" in (ROOT / "README.md").read_text()


def test_the_citation_has_what_its_format_asks_for() -> None:
    needed = {"cff-version", "message", "title", "authors"}
    assert needed <= set(CITATION)
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert CITATION["authors"] == [{"name": "The mae_bench developers"}]
    assert CITATION["license"] == PROJECT["license"]


def test_changes_are_of_the_kinds_that_the_form_has() -> None:
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    found = re.findall(r"^### (.+)$", CHANGES, re.M)
    assert found
    assert set(found) <= kinds
