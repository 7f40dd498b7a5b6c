import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from mae_bench.pages.page import PAGES, number, page, slugs
from mae_bench.pages.whence import Whence

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "mae_bench" / "pages" / "templates"
VOID = {"meta", "link", "img", "br", "input", "path", "circle", "rect"}
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
WHENCE: dict[str, object] = {"whence": Whence(date="2026-01-02")}
PICTURES: dict[str, object] = {"anchors": {}, "captions": {}}
FULL: dict[str, dict[str, object]] = {
    "overview": {
        "methods": [],
        "datasets": [],
        "theories": [],
        "predictions": 0,
        "figures": 0,
        "nothing": True,
        "findings": [],
        "counts": {},
        "history": None,
        "measured": False,
    }
    | WHENCE,
    "leaderboard": {"boards": [], "columns": [], "tracks": [], "roles": {}, "first": ()}
    | WHENCE,
    "theories": {"theories": [], "scores": {}, "pages_of": {}, "shown": []} | WHENCE,
    "figures": {"figures": []} | PICTURES | WHENCE,
    "index": {},
}


class Reader(HTMLParser):
    """Every tag that is opened is closed, in order; what is shown is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, *_: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.shown.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("value", ["0", "1", "9.9994", "10", "-12.5", "12345", "-4e-4"])
def test_a_written_number_is_the_number_to_four_digits(value: str) -> None:
    shown = number(value).replace(MINUS, "-")
    assert float(shown) == pytest.approx(float(value), rel=5e-4, abs=5e-4)
    assert not shown.endswith(".")


@pytest.mark.parametrize("value", ["1e-9", "-0.0004", "0.0005", "-0.0009"])
def test_what_is_not_zero_does_not_look_like_it(value: str) -> None:
    shown = float(number(value).replace(MINUS, "-"))
    assert shown != 0
    assert (shown > 0) == (float(value) > 0)


def test_what_is_not_there_is_a_dash() -> None:
    assert number("") == DASH


def test_words_that_look_like_html_stay_words() -> None:
    hostile = "<script>a & b</script>"
    known = FULL["overview"] | {"datasets": [hostile]}
    shown = read(page("overview", **known)).shown
    assert any(f"({hostile})" in words for words in shown)


@pytest.mark.parametrize("name", FULL)
def test_a_page_loads_no_other_file_and_closes_what_it_opens(name: str) -> None:
    html = page(name, **FULL[name])
    read(html)
    assert "://" not in html
    assert "<script src" not in html
    if name != "index":
        assert "prefers-color-scheme: dark" in html
        assert "width=device-width" in html
        assert "Made on 2026-01-02" in html
        assert html.count(' aria-current="page"') == 1
        assert f'<a href="{name}.html" aria-current="page">{name}</a>' in html
        assert all(f'<a href="{other}.html"' in html for other in PAGES)


@pytest.mark.parametrize("lost", FULL["overview"])
def test_what_a_template_shows_and_is_not_given_is_an_error(lost: str) -> None:
    known = {key: value for key, value in FULL["overview"].items() if key != lost}
    with pytest.raises(UndefinedError, match=lost):
        page("overview", **known)


def test_what_lies_deeper_finds_its_way_back() -> None:
    html = page("figures", root="../", **FULL["figures"])
    assert 'href="../leaderboard.html"' in html


@pytest.mark.parametrize("name", ["", "..", "a/b", "<script>", "K5", "Zoe\u0308"])
def test_an_address_is_of_letters_that_every_system_has(name: str) -> None:
    (slug,) = slugs([name]).values()
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", slug)


def test_no_two_names_have_one_address() -> None:
    names = ["a b", "a/b", "A-b", "a-b-2", "a b"]
    found = slugs(names)
    assert list(found) == names[:4]
    assert len({slug.lower() for slug in found.values()}) == 4


def test_every_file_of_the_package_that_is_no_module_is_in_its_wheel() -> None:
    house = ROOT / "mae_bench"
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["mae_bench"]
    sent = {path for pattern in patterns for path in house.glob(pattern)}
    there = {path for path in house.rglob("*") if path.is_file()}
    modules = {path for path in there if path.suffix in (".py", ".pyc")}
    assert sent == there - modules
    assert TEMPLATES / "page.html" in sent
