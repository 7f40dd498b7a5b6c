"""Prose says what the CSVs say, and a field that finds nothing is an error."""

from pathlib import Path

import pandas as pd
import pytest
from jinja2 import UndefinedError

from mae_bench.pages.prose import fill
from mae_bench.records.schema import UsageError

COLUMNS = ("prediction", "theory", "standing", "verdict", "kind", "reason")
NUMBERS = ("estimate", "ci_low", "ci_high", "more_seeds")
SAID = [
    ("t/A1", "t", "theorem", "supported", None, None, 0.5, 0.4, 0.6, 0),
    ("t/A2", "t", "derived", "undecided", None, None, -1.25, -2, 12, 30),
    ("t/A3", "t", "extrapolation", "refuted", "reversed", None, -0.5, -0.6, -0.4, 0),
    ("t/A4", "t", "extrapolation", "not_measured", None, "no rows", *4 * [None]),
    ("t/A5", "t", None, "not_measured", None, "nothing reads it", *4 * [None]),
    ("t/A6", "t", "derived", "undecided", None, "3 whole seeds", 0.5, *3 * [None]),
    ("n/P1", "n", "planted", "undecided", None, None, 0, -1, 1, 3),
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    table = pd.DataFrame(SAID, columns=[*COLUMNS, *NUMBERS])
    # New seeds rule the theorem, as the pilot had it, and what was refuted since.
    new = table["prediction"].isin(["t/A1", "t/A3", "n/P1"])
    table["phase"] = new.map({True: "confirmatory", False: "pilot"})
    table["pilot"] = table["verdict"].where(table["prediction"] != "t/A3", "supported")
    # Trained again with other rounding: alike, told apart, open, and not at all.
    said = {"t/A1": "supported, supported", "t/A3": "refuted, undecided"}
    said["t/A2"] = "undecided, supported"
    table["by_rounding"] = table["prediction"].map(said)
    table.to_csv(tmp_path / "verdicts.csv", index=False)
    rows = [
        {"seed": seed, "method": method, "value": value + seed / 10}
        for seed in range(3)
        for method, value in (("mae", 0.5), ("byol", 0.25))
    ]
    at = {"status": "ok", "view": "", "target": "", "token": "mean"}
    whole = pd.DataFrame(rows).assign(**at)
    lost = whole.iloc[:1].assign(status="diverged", value=9.0)
    other = whole.iloc[:1].assign(**at | {"token": "cls", "value": 7.0})
    (tmp_path / "measurements").mkdir()
    path = tmp_path / "measurements" / "here.csv"
    pd.concat([whole, lost, other]).to_csv(path, index=False)
    return tmp_path


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('effect("t/A1")', ".500 (.400 to .600)"),
        ('effect("t/A2", 2)', "-1.25 (-2.00 to 12.0)"),
        ('effect("t/A6")', ".500 (no interval)"),
        ('word("t/A3")', "refuted (reversed)"),
        ("count()", "4"),
        ('count("framed", "supported")', "1"),
        ('count("planted")', "1"),
        ("renewed()", "2"),
        ('renewed("supported")', "2"),
        ('renewed("supported", "supported")', "1"),
        ('renewed("supported", "refuted")', "1"),
        ('renewed(standing="planted")', "1"),
        ("alike_when_rounded()", "1 of 2 (.09 to .91)"),
        ("undecided_within(15)", "0"),
        ("undecided_within(30)", "1"),
        ("without_rows(declared=true)", "1"),
        ("without_rows(declared=false)", "1"),
        ('rows("here", method="mae")|bare(2)', ".60"),
        ('rows("here", method="mae", token="cls")|bare', "7.000"),
        ('rows("here", method="mae", target=none)|interval(1)', ".6 (.4 to .8)"),
        (
            '(rows("here", method="mae") - rows("here", method="byol"))|interval',
            ".250 (.250 to .250)",
        ),
    ],
)
def test_a_field_is_filled(results: Path, field: str, said: str) -> None:
    assert fill(f"So it is {{{{ {field} }}}}.\n", results) == f"So it is {said}.\n"


@pytest.mark.parametrize(
    "field",
    [
        'rows("here", method="vicreg")|bare',
        'rows("nowhere")|bare',
        'effect("t/A4")',
        'board("mnist", "mae", "label_probe")',
    ],
)
def test_a_field_that_finds_nothing_is_refused(results: Path, field: str) -> None:
    with pytest.raises(UsageError, match=r"^(no |a field has no number)"):
        fill(f"{{{{ {field} }}}}", results)


def test_a_word_that_is_not_known_is_refused(results: Path) -> None:
    with pytest.raises(UndefinedError, match="efect"):
        fill('{{ efect("t/A1") }}', results)
