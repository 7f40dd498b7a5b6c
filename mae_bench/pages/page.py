"""A page: a template filled with what is known, and how a number is written on it."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

PAGES = ("overview", "leaderboard", "theories")


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


_TEMPLATES = Environment(
    loader=PackageLoader("mae_bench.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["number"] = number


def page(name: str, **known: object) -> str:
    """A whole page, to be read without any other file but its figures.

    Args:
        name: Its template, less ``.html``.
        known: What the template shows; text of it that looks like HTML stays text.
    """
    template = _TEMPLATES.get_template(f"{name}.html")
    return template.render(known, name=name, pages=PAGES)
