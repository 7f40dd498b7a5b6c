"""Tables in Markdown have a line a row, and say what the CSVs say."""

import pandas as pd

from mae_bench.pages import markdown


def fields(text: str) -> list[list[str]]:
    return [[f.strip() for f in x.strip("|").split(" | ")] for x in text.splitlines()]


def test_a_claim_has_its_verdict_as_word_and_sign() -> None:
    common = {"theory": "t", "standing": "theorem", "margin": 0.1, "kind": None}
    lines = [
        {"prediction": "t/A1", "claim": "it rises", "verdict": "supported"},
        {
            "prediction": "t/A2",
            "claim": "a | b",
            "verdict": "refuted",
            "kind": "reversed",
        },
        {"prediction": "t/A3", "claim": "open", "verdict": "not_converged"},
        {"prediction": "t/A4", "claim": "no rows", "verdict": "not_measured"},
        {"prediction": "u/B1", "claim": "another's", "verdict": "supported"},
    ]
    table = pd.DataFrame([common | line for line in lines])
    table.loc[4, "theory"] = "u"
    table = table.assign(estimate=0.25, ci_low=0.125, ci_high=0.5)
    table.loc[2, ["estimate", "ci_low", "ci_high"]] = float("nan")
    text, _, rest = markdown.claims(table, "t").rpartition("\n\n")
    assert rest == "Not measured, with the reason in `verdicts.csv`: 1."
    first, second, third = fields(text)[2:]
    assert first[3:] == ["**+ supported**", "0.25 (0.125 to 0.5)", "0.1"]
    assert second[2:4] == [r"a \| b", "**- refuted**, reversed"]
    assert third[3:5] == ["not converged", "no rows yet"]


def test_of_a_theory_without_rows_it_is_said_how_many_claims_it_has() -> None:
    table = pd.DataFrame([{"theory": "t", "verdict": "not_measured"}])
    expected = "Not measured, with the reason in `verdicts.csv`: 1."
    assert markdown.claims(table, "t") == expected


def test_a_quantity_is_told_by_the_form_farthest_from_its_goal() -> None:
    at = {"quantity": "q", "noise": "t3", "stopping": "5 seeds", "error": 0.01}
    low = [
        {"form": f, "goal": "<= 0.05", "value": v} for f, v in (("a", 0), ("b", 0.1))
    ]
    high = [{"form": f, "goal": ">= 0.95", "value": 1.0} for f in "ab"]
    found = pd.DataFrame([at | row | {"met": "no"} for row in low])
    more = pd.DataFrame([at | row | {"met": "yes", "quantity": "r"} for row in high])
    _, _, first, second = fields(markdown.operating(pd.concat([found, more])))
    assert first[3:] == ["<= 0.05", "0.1 ± 0.01", "b", "0 of 2"]
    assert second[3:] == [">= 0.95", "1 ± 0.01", "all alike", "2 of 2"]


def test_costs_have_minutes_of_one_decimal() -> None:
    row = {"experiment": "uniformity", "cells": 25, "core_minutes": 16.0}
    row |= {"cost_unknown": 0, "trained": 2, "trained_minutes": 2.45}
    line = fields(markdown.costs(pd.DataFrame([row])))[-1]
    assert line == ["uniformity", "25", "16.0", "0", "2", "2.5"]
