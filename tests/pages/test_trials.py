import matplotlib.pyplot as plt
import pandas as pd

from mae_bench.pages.trials import WORDS, draw
from mae_bench.records.rows import COLUMNS
from mae_bench.verdicts.tune import RULES


def trials(method: str, values: dict[float, float | str]) -> list[dict]:
    """A trial a learning rate: held-out loss, rank and curve; or how it was lost."""
    rows = []
    for lr, value in values.items():
        lost = isinstance(value, str)
        numbers = (
            ("held_out_loss", "", "mean", value),
            ("effective_rank", "mean", "centred", value),
            ("convergence", "", "half", 1.0),
            ("convergence", "", "final", 0.5),
            ("convergence", "", "progress", 0.5),
        )
        for metric, token, target, number in numbers:
            rows.append(
                dict.fromkeys(COLUMNS, "")
                | {"dataset": "mnist", "method": method, "tier": "quick", "lr": lr}
                | {"seed": 0, "rounding": 0, "cell": f"{method} {lr}"}
                | {"metric": metric, "token": token, "target": target}
                | {"status": value if lost else "ok"}
                | {"value": float("nan") if lost else number}
            )
    return rows


def test_the_choice_is_filled_and_what_was_lost_is_a_cross() -> None:
    figure = draw(
        pd.DataFrame(
            trials("mae", {0.001: 0.4, 0.003: 0.2, 0.01: "diverged"})
            + trials("simsiam", {0.001: 4.0, 0.003: 2.0, 0.01: 3.0})
        )
    )
    mae, simsiam, *rest = figure.axes
    line, choice, crosses = mae.lines
    assert list(line.get_ydata())[:2] == [0.4, 0.2]
    assert (list(choice.get_xdata()), list(choice.get_ydata())) == ([1], [0.2])
    assert list(crosses.get_xdata()) == [2]
    assert [t.get_text() for t in mae.get_xticklabels()] == ["0.001", "0.003", "0.01"]
    assert list(simsiam.lines[1].get_ydata()) == [4.0]
    assert "mae: loss ↓" in mae.get_title()
    assert "RankMe ↑" in simsiam.get_title()
    assert not any(ax.axison for ax in rest)
    plt.close(figure)


def test_every_rule_has_its_words() -> None:
    assert WORDS.keys() == RULES.keys()
