from collections.abc import Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from mae_bench.pages.forecasts import head_to_head
from mae_bench.verdicts.forecast import Skill


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def row(theory: str, grid: str, world: str, skill: float) -> dict[str, object]:
    said = Skill(skill, skill - 0.1, skill + 0.1, 0.01, -0.25, 0.3, 24, 1.0)
    facts = {"theory": theory, "forecast_of": grid, "world": world}
    return facts | {k: v for k, v in said._asdict().items() if k != "worlds"}


TABLE = pd.DataFrame(
    [
        row("silent_on_b", "grid", "a", 0.5),
        row("silent_on_b", "grid", "mean", 0.5),
        row("says_all", "grid", "a", 0.95),
        row("says_all", "grid", "b", -0.3),
        row("says_all", "grid", "mean", 0.3),
        row("alone", "another", "c", 0.9),
        row("alone", "another", "mean", 0.9),
    ]
)


def test_a_grid_of_several_theories_has_a_panel_a_world_and_one_of_the_mean() -> None:
    figure = head_to_head(TABLE)
    titles = [ax.get_title().splitlines()[-1] for ax in figure.axes]
    assert titles == ["a", "b", "mean of its worlds"]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["says_all", "silent_on_b"]  # the best mean on top


def test_dots_are_the_skills_and_bars_what_chance_reaches() -> None:
    first, second, _ = head_to_head(TABLE).axes
    dots = [line.get_xdata()[0] for line in first.lines if line.get_marker() == "o"]
    assert dots == [0.95, 0.5]
    (bar, _) = first.patches
    assert bar.get_x() == -0.25
    assert bar.get_width() == pytest.approx(0.55)
    # What a theory does not say is said.
    assert len(second.patches) == 1
    assert [text.get_text() for text in second.texts] == ["none"]
    # An interval of few seeds ends where tau does.
    ends = [c.get_segments()[0][:, 0].tolist() for c in first.collections]
    assert ends[0] == pytest.approx([0.85, 1.0])


def test_a_world_that_was_not_measured_has_no_panel() -> None:
    lost = TABLE.assign(skill=TABLE["skill"].where(TABLE["world"] != "b"))
    titles = [ax.get_title().splitlines()[-1] for ax in head_to_head(lost).axes]
    assert titles == ["a", "mean of its worlds"]


@pytest.mark.parametrize("rows", [TABLE[:0], TABLE[5:]])
def test_without_rivals_it_says_so(rows: pd.DataFrame) -> None:
    (text,) = head_to_head(rows).texts
    assert "no grid" in text.get_text()
