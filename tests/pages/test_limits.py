import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mae_bench.pages.limits import LIMITS, Limit, Panel, draw
from mae_bench.records import registry
from mae_bench.records.rows import COLUMNS
from mae_bench.records.schema import TIERS


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    plt.close("all")
    yield
    plt.close("all")


def rows_of(limit: Limit, seeds: int = 2) -> pd.DataFrame:
    """Every row that the figure looks for; a value is its ratio plus its seed."""
    experiment = registry.load("experiments", limit.experiment)
    panels = [panel for row in limit.panels for panel in row]
    wanted = [w for p in panels for w in (p.measured, p.exact) if w is not None]
    blank = (
        dict.fromkeys(COLUMNS, "")
        | {"rounding": 0}
        | {"status": "ok", "view": "unmasked"}
    )
    rows = []
    for cell, factors in experiment.cells(TIERS["smoke"], range(seeds)):
        here = {"dataset": cell.dataset, "method": cell.method, "seed": cell.seed}
        for where in wanted:
            if (here | factors).items() >= {
                k: v for k, v in where.items() if k in here or k in factors
            }.items():
                value = (factors["mask_ratio"] or 0.3) + cell.seed
                rows.append(blank | where | here | factors | {"value": value})
    return pd.DataFrame(rows).drop_duplicates()


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_an_oracles_and_draws_what_its_experiment_measures(name):
    limit = LIMITS[name]
    assert name in registry.names("oracles")
    experiment = registry.load("experiments", limit.experiment)
    assert {"mask_ratio", limit.lines} <= set(experiment.factors)
    measured = {metric.id for metric in experiment.metrics}
    worlds = {registry.id_of(world) for world in experiment.datasets}
    for panel in (panel for row in limit.panels for panel in row):
        for where in (panel.measured, panel.exact or panel.measured):
            assert where["metric"] in measured
            assert where["dataset"] in worlds
            assert where.get("view", "unmasked") in experiment.views


@pytest.mark.parametrize("name", LIMITS)
def test_every_panel_has_its_points_and_its_exact_curve(name):
    limit = LIMITS[name]
    figure = draw(limit, rows_of(limit))
    shown = [ax for ax in figure.axes if ax.axison]
    assert len(shown) == sum(len(row) for row in limit.panels)
    for ax in shown:
        # A line for each level of the second factor; the whitened field has one rank.
        levels = 1 if "whitened" in ax.get_title() else 2
        assert len(ax.containers) == levels
        exact = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert len(exact) == levels
    assert any("exact" in text.get_text() for text in figure.legends[0].get_texts())


PANEL = Panel("a", {"metric": "linear_r2", "view": "unmasked"}, {"metric": "ceiling"})
TINY = Limit("Tiny", "recoverability", "mask_unit", [[PANEL]])


def tiny(**changed) -> pd.DataFrame:
    table = []
    for seed in (0, 1):
        for metric, value in (("linear_r2", seed / 2), ("ceiling", 0.9)):
            row = (
                dict.fromkeys(COLUMNS, "")
                | {"rounding": 0}
                | {"status": "ok", "seed": seed}
            )
            row |= {"metric": metric, "value": value, "view": "unmasked"}
            table.append(row | {"mask_ratio": 0.5, "mask_unit": 0.0} | changed)
    return pd.DataFrame(table)


def test_points_are_means_over_seeds_beside_the_exact_value():
    (ax,) = draw(TINY, tiny()).axes
    ((points, _, _),) = (container.lines for container in ax.containers)
    assert points.get_xydata().tolist() == [[0.5, 0.25]]
    (exact,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert exact.get_xydata().tolist() == [[0.5, 0.9]]


def test_an_untrained_encoder_is_a_line_across_but_not_under_masks():
    floor = tiny(mask_ratio=np.nan, mask_unit=np.nan)
    rows = pd.concat([tiny(), floor])
    (ax,) = draw(TINY, rows).axes
    assert [x.get_label() for x in ax.lines if x.get_linestyle() == ":"] == [
        "untrained"
    ]
    masked = Panel("b", {"metric": "linear_r2", "view": "masked"}, PANEL.exact)
    limit = Limit("Tiny", "recoverability", "mask_unit", [[masked]])
    (ax,) = draw(limit, rows.assign(view="masked")).axes
    assert not [line for line in ax.lines if line.get_linestyle() == ":"]


@pytest.mark.parametrize("status", ["missing", "skipped", "error"])
def test_a_panel_without_numbers_says_so(status):
    (ax,) = draw(TINY, tiny(status=status, value=np.nan)).axes
    assert "not measured" in [text.get_text() for text in ax.texts]
