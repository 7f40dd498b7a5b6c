"""The words of verdicts, and where they are counted."""

from dataclasses import fields

from mae_bench.records.ruling import RULINGS, TheoryScore, Verdict


def test_every_word_but_its_reasons_is_counted_of_a_theory():
    assert set(RULINGS) <= {field.name for field in fields(TheoryScore)}


def test_a_verdict_of_nothing_is_not_measured():
    verdict = Verdict(prediction="t/K1", theory="t")
    assert (verdict.verdict, verdict.alone, verdict.n_seeds) == (
        "not_measured",
        "not_measured",
        0,
    )
