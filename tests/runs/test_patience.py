from mae_bench.runs.patience import Patience


def test_what_failed_counts_and_what_does_not_apply_does_not() -> None:
    patience = Patience(most=2)
    for status in ("ok", "skipped", "diverged", "ok"):
        patience.note(status)
    assert (patience.failed, patience.over) == (1, False)
    patience.note("timeout")
    assert patience.over


def test_by_default_it_has_no_end() -> None:
    patience = Patience()
    for _ in range(1000):
        patience.note("error")
    assert not patience.over
