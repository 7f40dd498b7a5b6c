from html.parser import HTMLParser

import pytest

from mae_bench.pages.page import LEAST, cell, head, interval, number, page, table, text

VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Every tag that is opened is closed, in order; what is shown is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.shown: list[str] = []
        self.keys: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.keys.append(dict(attrs).get("data-sort-value"))

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
    shown = number(value).replace("&minus;", "-")
    assert float(shown) == pytest.approx(float(value), rel=5e-4, abs=5e-4)
    assert not shown.endswith(".")


@pytest.mark.parametrize("value", ["1e-9", "-0.0004", "0.0005", "-0.0009"])
def test_what_is_not_zero_does_not_look_like_it(value: str) -> None:
    shown = float(number(value).replace("&minus;", "-"))
    assert shown != 0
    assert (shown > 0) == (float(value) > 0)


def test_what_is_not_there_is_a_dash_or_said_in_words() -> None:
    assert number("") == "&ndash;"
    assert "no interval" in interval("", "")
    assert "no interval" in interval("0.1", "")


def test_a_cell_sorts_by_its_value_and_what_is_missing_goes_where_it_is_told() -> None:
    cells = cell("<b>a</b>", "0.5", kind="first") + cell("") + cell("", missing=-LEAST)
    keys = read(f"<table><tr>{cells}</tr></table>").keys
    assert keys[0] == "0.5"
    assert [float(str(key)) for key in keys[1:]] == [LEAST, -LEAST]


def test_words_that_look_like_html_stay_words() -> None:
    hostile = "<script>a & b</script>"
    body = table([head("x", "string")], [[text(hostile)], [text("plain", "words")]])
    reader = read(page(hostile, body, [], ["a.js?x=<&>"]))
    assert reader.shown.count(hostile) == 2  # heading and cell; the title is cut off
    assert "plain" in reader.shown


def test_a_page_loads_nothing_but_the_scripts_that_it_is_given() -> None:
    bare, armed = page("t", "", [], []), page("t", "", [], ["v/a.js", "v/b.js"])
    assert "<script" not in bare
    assert armed.index("v/a.js") < armed.index("v/b.js") < armed.index("stupidtable(")
    for html in (bare, armed):
        assert "://" not in html
        assert "prefers-color-scheme: dark" in html
        assert "width=device-width" in html
        read(html)
