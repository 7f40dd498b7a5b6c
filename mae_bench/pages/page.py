"""A page: a template filled with what is known, and how a number is written on it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mae_bench.pages import scorecard

PAGES = ("overview", "leaderboard", "theories", "figures")


def number(value: str) -> str:
    """A CSV's number to be read: three decimals, or four digits if it is large.

    >>> number("0.898267"), number("-0.44"), number("15.3011"), number("-4.1e-6")
    ('0.898', '−0.440', '15.30', '−4e-06')
    """
    if not value:
        return "\N{EN DASH}"
    size = abs(float(value))
    if size >= 10:
        shown = f"{float(value):#.4g}".rstrip(".")
    else:
        # What is not zero does not look like it.
        shown = f"{float(value):{'.0e' if 0 < size < 5e-4 else '.3f'}}"
    return ("\N{MINUS SIGN}" if shown[0] == "-" else "") + shown.removeprefix("-")


def whole(value: str) -> str:
    """A number of seeds; in words where none is enough.

    >>> whole("3.0"), whole("inf"), whole("")
    ('3', 'no number', '')
    """
    if not value:
        return ""
    return f"{float(value):.0f}" if math.isfinite(float(value)) else "no number"


def parted(name: str) -> Markup:
    """A name that a narrow column may break after its underscores alone.

    >>> parted("u_mae"), parted("<b>")
    (Markup('u_<wbr>mae'), Markup('&lt;b&gt;'))
    """
    return escape(name).replace("_", Markup("_<wbr>"))


def slugs(names: Iterable[str]) -> dict[str, str]:
    """Name -> what it is called in an address, no two alike in any file system.

    >>> slugs(["K5", "a/b", "a b", ""])
    {'K5': 'K5', 'a/b': 'a-b', 'a b': 'a-b-2', '': 'nameless'}
    """
    found: dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip(".") or "nameless"
        taken, slug, count = {s.lower() for s in found.values()}, stem, 1
        while slug.lower() in taken:
            count += 1
            slug = f"{stem}-{count}"
        found.setdefault(name, slug)
    return found


_TEMPLATES = Environment(
    loader=PackageLoader("mae_bench.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"number": number, "whole": whole, "parted": parted}
_TEMPLATES.globals |= {
    "colours": scorecard.COLOURS,
    "signs": scorecard.SIGNS,
    "dark": scorecard.DARK,
}


def page(template: str, **known: object) -> str:
    """A whole page, to be read without any other file but its figures.

    Args:
        template: Its template, less ``.html``.
        known: What the template shows; text of it that looks like HTML stays text.
            ``root`` is the way to the site's root, such as ``../``.
    """
    source = _TEMPLATES.get_template(f"{template}.html")
    return source.render({"root": "", **known}, name=template, pages=PAGES)
