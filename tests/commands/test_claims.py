import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import Result

from mae_bench.commands import claims
from mae_bench.records import registry
from mae_bench.records.ruling import Verdict
from mae_bench.records.schema import UsageError

Call = Callable[..., Result]
K5 = "hierarchical_latents/K5"


@pytest.mark.parametrize("theory", registry.names("theories"))
def test_a_file_may_have_every_number_that_its_theory_has(theory: str) -> None:
    whole = registry.load("theories", theory)
    written = claims._written(theory)
    assert written is not None
    numbers = [*whole.predictions, *whole.unmeasured]
    assert [n for n in numbers if not written.may_have(n)] == []
    assert not written.may_have("K55")


def test_a_wrong_number_is_answered_without_an_import() -> None:
    code = (
        "import sys\n"
        "from mae_bench.cli import app\n"
        "try:\n"
        "    app(['info', 'hierarchical_latents/K55'])\n"
        "except SystemExit as stop:\n"
        "    sys.exit('torch' in sys.modules or stop.code)\n"
    )
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "did you mean hierarchical_latents/K5, " in line
    assert line.count(",") < 5


def test_the_whole_prediction_is_told(tmp_path: Path) -> None:
    with (tmp_path / "verdicts.csv").open("w", newline="") as file:
        row = {column.name: "" for column in fields(Verdict)}
        row |= {
            "prediction": K5,
            "verdict": "undecided",
            "phase": "all",
            "n_seeds": "5",
        }
        row |= {"estimate": "0.03", "ci_low": "0.01", "ci_high": "0.05"}
        row |= {"margin": "0.02", "e_value": "7", "asked": "20", "above": "4/5"}
        row |= {"more_seeds": "6", "control_verdict": "refuted", "version": "1"}
        table = csv.DictWriter(file, row)
        table.writeheader()
        table.writerow(row)
    found = claims.facts("K5", tmp_path)
    assert (
        found == claims.facts(K5, tmp_path) == claims.facts(f"theories/{K5}", tmp_path)
    )
    assert found is not None
    claim = registry.load("theories", "hierarchical_latents").predictions["K5"]
    assert found["text"] == claim.claim
    assert found["refuted_by"] == claim.refuted_by
    assert claim.control.reason in found["control"]
    assert "above 0.02" in found["measured"]["claimed"]
    assert found["measured"]["margin_reason"] == claim.margin_reason
    assert "token mean" in found["measured"]["rows"]
    assert found["again"] == "mae-bench run --experiment mask_ratio"
    assert found["verdict"] == {
        "word": "undecided, by all seeds",
        "estimate": "0.03 (0.01 to 0.05), margin 0.02",
        "e_value": "7; decided at 20",
        "n": "5 seeds; as claimed on their own: 4/5",
        "more_seeds": "6",
        "control": "refuted",
        "old": "of version 1; run mae-bench judge",
        "from": str(tmp_path / "verdicts.csv"),
    }
    assert "figure" not in found
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "mask_ratio.png").write_bytes(b"")
    again = claims.facts(K5, tmp_path, "smoke")
    assert again is not None
    assert again["figure"] == str(tmp_path / "figures" / "mask_ratio.png")
    assert again["again"].endswith(" --tier smoke")
    assert json.loads(json.dumps(again)) == again


def test_what_is_not_measured_or_not_judged_says_so(tmp_path: Path) -> None:
    unmeasured = claims.facts("hierarchical_latents/K9", tmp_path)
    assert unmeasured is not None
    assert unmeasured["text"].startswith("not measured here: needs ImageNet")
    found = claims.facts(K5, tmp_path)
    assert found is not None
    assert found["verdict"] == {"word": f"not judged in {tmp_path / 'verdicts.csv'}"}


def test_of_several_theories_one_must_be_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [("a", "K5"), ("b", "K5")]
    monkeypatch.setattr(claims, "find", lambda _: both)
    with pytest.raises(UsageError, match="2 theories have a K5: a/K5, b/K5; say which"):
        claims.facts("K5")


def test_a_number_is_found_in_every_theory_that_has_it() -> None:
    assert claims.find("K5") == [("hierarchical_latents", "K5")]
    assert claims.find("null-K5") == [("planted_nulls", "null-K5")]
    assert claims.find("average_distance/K5") == []


def test_names_complete_to_parts_and_predictions() -> None:
    assert "hierarchical_latents/K5-tree" in claims.like("hierarchical_latents/K5")
    assert claims.like("u_m") == ["u_mae"]
    assert claims.ids(Path("nowhere")) == sorted(claims.ids(Path("nowhere")))
