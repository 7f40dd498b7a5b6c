"""A page: its frame and style, its tables, and how a number is written on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

LEAST = -1e300  # where the sort puts what is not there
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2127; --dim: #5c6670; --paper: #fff;
  --line: #d9dee3; --band: #f3f5f7; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --dim: #9aa5b0;
  --paper: #14181d; --line: #333b44; --band: #1c2228; --link: #7db8f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 84rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: .8rem 0;
  border-bottom: 1px solid var(--line); }
a { color: var(--link); } nav a[aria-current] { color: inherit; font-weight: 600; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { margin-top: 2.2rem; }
p, li { max-width: 46rem; } small { color: var(--dim); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; }
th, td { padding: .45rem .55rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
tbody tr:last-child td { border-bottom: 0; } th { background: var(--band); }
td:first-child, th:first-child { position: sticky; left: 0; background: var(--band); }
th[data-sort] { cursor: pointer; } th:focus-visible { outline: 2px solid; }
th.sorting-asc { box-shadow: inset 0 2px var(--link); }
th.sorting-desc { box-shadow: inset 0 -2px var(--link); }
td small, th small { display: block; white-space: nowrap; font-weight: 400; }
td.words { min-width: 16rem; } .first b { border-bottom: 2px solid var(--link); }
td b { font-weight: 400; } td.first b { font-weight: 700; }
.verdict { white-space: nowrap; } .verdict::before { content: ""; margin-right: .4em;
  display: inline-block; width: .7em; height: .7em; border-radius: 2px;
  background: var(--c); }
.share { display: flex; height: .7rem; min-width: 6rem; margin-top: .35rem;
  border-radius: 2px; overflow: hidden; } .share i { background: var(--c); }
svg { display: block; width: 7rem; height: .7rem; color: var(--link); }
img { max-width: 100%; background: #fff; border-radius: 6px; }
figure { margin: 1.5rem 0; } .gallery { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
.gallery figure { margin: 0; }
"""
_SORT = """<script>
$("table").stupidtable();
$("th[data-sort]").attr("tabindex", 0).on("keydown", function (pressed) {
  if (pressed.key === "Enter") { $(this).stupidsort(); } });
</script>"""


def number(value: str) -> str:
    """A CSV's number to be read: three decimals, or four digits if it is large.

    >>> number("0.898267"), number("-0.44"), number("15.3011"), number("-4.1e-6")
    ('0.898', '&minus;0.440', '15.30', '&minus;4e-06')
    """
    if not value:
        return "&ndash;"
    size = abs(float(value))
    if size >= 10:
        shown = f"{float(value):#.4g}".rstrip(".")
    else:
        # What is not zero does not look like it.
        shown = f"{float(value):{'.0e' if 0 < size < 5e-4 else '.3f'}}"
    return ("&minus;" if shown[0] == "-" else "") + shown.removeprefix("-")


def interval(low: str, high: str) -> str:
    """An interval beneath its number, or the word that there is none.

    >>> interval("-0.1", "0.2")
    '<small>&minus;0.100 to 0.200</small>'
    """
    if not (low and high):
        return "<small>no interval</small>"
    return f"<small>{number(low)} to {number(high)}</small>"


def cell(inner: str, value: str = "", *, missing: float = LEAST, kind: str = "") -> str:
    """A table's cell, sorted by ``value`` whatever it shows.

    Args:
        inner: HTML; a dash stands for nothing.
        value: What it is sorted by.
        missing: What it is sorted by if there is no value.
        kind: CSS class.
    """
    name = f' class="{kind}"' if kind else ""
    key = escape(value or f"{missing:g}")
    return f'<td{name} data-sort-value="{key}">{inner or "&ndash;"}</td>'


def text(words: str, kind: str = "") -> str:
    """A table's cell of words."""
    name = f' class="{kind}"' if kind else ""
    return f"<td{name}>{escape(words)}</td>"


def head(inner: str, sort: str = "float", start: str = "desc") -> str:
    """A column's head.

    Args:
        inner: HTML.
        sort: ``float`` or ``string``.
        start: Order of the first click: ``asc`` or ``desc``.
    """
    return f'<th data-sort="{sort}" data-sort-default="{start}">{inner}</th>'


def table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that scrolls in its own frame; the page does not."""
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (
        '<div class="scroll"><table>'
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def page(title: str, body: str, links: Iterable[str], scripts: Sequence[str]) -> str:
    """A whole page, to be read without any other file.

    Args:
        title: Its title.
        body: HTML.
        links: HTML of the line on top.
        scripts: jQuery and stupidtable, relative to the page; if there are none,
            tables do not sort and nothing else is lost.
    """
    loads = "".join(f'<script src="{escape(path)}"></script>' for path in scripts)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} - mae_bench</title>
<link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body><nav><strong>mae_bench</strong>{"".join(links)}</nav>
<main><h1>{escape(title)}</h1>
{body}</main>{loads}{_SORT if scripts else ""}</body></html>
"""
