import math
from html.parser import HTMLParser

import pandas as pd
import pytest

from mae_bench.pages.own import own_page
from mae_bench.verdicts.own import MISSING, OwnVerdicts
from mae_bench.verdicts.own_forecasts import COLUMNS

BAD = "<script>alert(1)</script>"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("href", "src") and v]


def verdicts(text: str, **numbers: float) -> pd.DataFrame:
    words = ("prediction", "theory", "verdict", "kind", "reason", "above", "claim")
    words += ("control", "control_verdict", "unit", "location", "conditions", "paper")
    words += ("read", "assumed", "unknown", "form", "margin_reason")
    row = dict.fromkeys(words, text) | {
        "prediction": f"{text}/{text}",
        "margin": 0.1,
        "estimate": 0.2,
        "ci_low": 0.15,
        "ci_high": 0.25,
        "n_seeds": 5,
        "e_value": 30.0,
        "asked": 20.0,
        "more_seeds": math.inf,
        "difference": math.nan,
    }
    return pd.DataFrame([{**row, **numbers}])


def whole(text: str) -> OwnVerdicts:
    skill = dict.fromkeys(COLUMNS, 0.5) | {"theory": text, "forecast_of": text}
    forecasts = [skill | {"missing": said, "formula": text} for said in ("", text)]
    missing = pd.DataFrame([dict.fromkeys(MISSING, text)])
    return OwnVerdicts(verdicts(text), missing, pd.DataFrame(forecasts))


def test_foreign_text_in_every_field_stays_text() -> None:
    html = own_page(whole(BAD), BAD, date=BAD, tier=BAD)
    reader = _Tags()
    reader.feed(html)
    assert "script" not in reader.tags
    assert html.count("&lt;script&gt;") > 15


def test_it_needs_no_other_file_and_says_all() -> None:
    html = own_page(whole("word"), "my.csv", date="2026-01-31")
    reader = _Tags()
    reader.feed(html)
    assert [link for link in reader.links if link != "data:,"] == []
    assert "Which theory predicts my.csv?" in html
    assert "A verdict is about the setting of these rows" in html
    assert ">1000 more to decide" in html.replace("&gt;", ">")
    assert "0.50 to 0.50" in html.replace("\n", " ")
    assert "missing: word" in html
    assert "Made on 2026-01-31 by mae_bench" in html
    assert "evidence" not in html


def test_a_smoke_test_says_that_it_is_no_evidence() -> None:
    html = own_page(whole("x"), "x", date="d", tier="smoke")
    assert "tier smoke, which is not evidence" in html


@pytest.mark.parametrize("lost", ["estimate", "ci_low", "ci_high"])
def test_what_is_not_known_is_not_drawn(lost: str) -> None:
    found = whole("x")._replace(verdicts=verdicts("x", **{lost: math.nan}))
    html = own_page(found, "x", date="d")
    assert "nan" not in html
    assert ("<circle" in html.partition("</p>\n\n<section>")[2]) == (lost != "estimate")
    assert 'class="interval"' not in html


def test_an_effect_is_drawn_as_on_the_cards_of_the_site() -> None:
    html = own_page(whole("x"), "x", date="d")
    assert "effect 0.200; 95 % interval 0.150 to 0.250; claimed: above 0.100" in html
