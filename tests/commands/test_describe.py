import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from mae_bench.commands import describe as module
from mae_bench.commands.describe import Check, describe, examine, render
from mae_bench.records import registry
from mae_bench.records.schema import UsageError
from mae_bench.records.store import Store, Trained

PARTS = [f"{room}/{n}" for room in registry.ROOMS for n in registry.names(room)]


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_facts_that_are_json_and_a_page_of_text(name: str) -> None:
    found = describe(name)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    page = render(found)
    assert page.splitlines()[0] == name
    assert found["text"]
    assert "object at 0x" not in page


def test_a_method_is_told_with_its_settings_and_a_metric_with_its_direction() -> None:
    assert describe("u_mae")["settings"]["lamb"] == 0.01
    assert "  lamb: 0.01" in render(describe("u_mae")).splitlines()
    assert "direction: max" in render(describe("linear_r2")).splitlines()


def test_a_theory_is_told_with_its_claims_standing_and_margins() -> None:
    found = describe("mask_graph_alignment")
    assert found["predictions"]["Z6"].endswith("[extrapolation; margin 0.01]")
    judged = ", ".join(found["verdicts"].values()).split(", ")
    assert {*found["predictions"]} <= {*judged}
    assert found["from"].endswith("verdicts.csv")


def test_a_forecast_is_told_by_its_formula_and_what_is_not_there_is_left_out() -> None:
    page = render(describe("average_distance"))
    assert "Forecast" not in page.split("forecasts:")[1]
    assert "\n  - mask_unit_by_patch_size, linear_probe: " in page
    assert "\nunmeasured:" not in page


def test_an_experiment_is_told_with_the_names_of_its_parts() -> None:
    found = describe("uniformity")
    # There is a metric of that name as well; rooms are searched in their order.
    assert found["room"] == "experiments"
    assert describe("metrics/uniformity")["room"] == "metrics"
    assert found["methods"] == ["u_mae"]
    assert "linear_r2" in found["metrics"]
    assert found["factors"]["lamb"] == [0.0, 0.001, 0.01, 0.1, 1.0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("u_mea", "no part or prediction 'u_mea'; did you mean u_mae, "),
        ("methods/digits", "no part or prediction 'methods/digits'"),
        ("methods/u_mea", "did you mean methods/u_mae, "),
        ("k5-tre", "did you mean hierarchical_latents/K5-tree, "),
        ("kitchens/u_mae", "no room 'kitchens'; one of theories, .*methods"),
    ],
)
def test_an_unknown_part_or_room_is_answered_with_what_there_is(
    name: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        describe(name)
    assert str(raised.value).count(",") < 10


def test_long_lines_are_folded_between_words() -> None:
    found = {"room": "r", "id": "x", "text": "a", "b": {"c": "words " * 30}}
    page = render(found, 40).splitlines()
    assert max(map(len, page)) <= 40
    assert page[5].startswith("  c: words")
    assert page[6].startswith("    words")
    assert " ".join(" ".join(page).split()).count("words") == 30
    assert "x" * 60 in render(found | {"d": "x" * 60}, 40)


def checks(store: Store) -> dict[str, Check]:
    return {check.name: check for check in examine(store)}


def test_this_machine_can_run_the_suite(tmp_path: Path) -> None:
    found = checks(Store(tmp_path / "store"))
    assert all(check.ok for check in found.values())
    assert found["cells"].found == "none yet; 0 files in quarantine"
    assert str(found["torch"]).startswith("ok   torch: 2.")


def test_cells_are_counted_by_status_and_quarantine_is_bad(tmp_path: Path) -> None:
    store = Store(tmp_path, [].append)
    store.save_trained("a" * 16, Trained("diverged", "nan"))
    store.save_trained("b" * 16, Trained("ok"), b"weights")
    assert checks(store)["cells"].found == "1 diverged, 1 ok; 0 files in quarantine"
    (tmp_path / "cells" / ("b" * 16) / "encoder.pt").write_bytes(b"wei")
    found = checks(store)["cells"]
    assert not found.ok
    assert str(found).startswith("BAD  cells: 1 diverged, 1 unfinished; ")


def test_a_store_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = checks(Store(tmp_path / "file" / "store"))["store"]
    assert not found.ok
    assert "cannot write" in found.found


def test_a_missing_library_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIBRARIES", ("no-such-library",))
    found = checks(Store(tmp_path))["no-such-library"]
    assert (found.ok, found.found) == (False, "not installed; pip install mae_bench")


@pytest.mark.parametrize("broken", [True, False])
def test_an_image_library_that_is_broken_is_told_before_it_takes_lightning_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    def load(name: str) -> Any:
        if broken:
            raise RuntimeError("operator nms does not exist")
        return name

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(importlib, "import_module", load)
    found = checks(Store(tmp_path))["torchvision"]
    assert found.ok is not broken
    assert ("pip uninstall" in found.found) is broken
