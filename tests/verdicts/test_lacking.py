import pandas as pd

from mae_bench.verdicts.lacking import in_kinds, in_one_line, numbers_of

COLUMNS = ["prediction", "missing", "near"]


def table(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_few_are_all_named_and_what_is_alike_is_said_once() -> None:
    missing = table(
        ("a/A1", "column lamb", 1),
        ("a/A2", "metric mcc", 0),
        ("b/B1", "4 seeds (there are 3)", 3),
        ("b/B2", "column alpha", 1),
        ("b/B3", "column alpha", 1),
    )
    assert in_one_line(missing) == (
        "B1 wants 4 seeds (there are 3); B2, B3 want column alpha; A1 wants column "
        "lamb; A2 wants metric mcc"
    )


def test_of_many_those_without_their_metric_are_counted() -> None:
    near = [(f"a/N{k}", f"column c{k}", 1) for k in range(10)]
    far = [(f"a/F{k}", f"metric m{k}", 0) for k in range(20)]
    said = in_one_line(table(*near, *far))
    assert said.startswith("N0 wants column c0; ")
    assert said.endswith(
        "; 2 more want other columns or rows; 20 want metrics that are not there"
    )
    assert "\n" not in said


def test_kinds_are_counted_those_that_lack_least_first() -> None:
    missing = table(("a/A1", "", 0), ("a/A2", "", 3), ("a/A3", "", 1), ("a/A4", "", 0))
    assert (
        in_kinds(missing)
        == "1 for want of levels or seeds, 1 of a column, 2 of a metric"
    )
    assert numbers_of(missing["prediction"]) == ["A1", "A2", "A3", "A4"]
