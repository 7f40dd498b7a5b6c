"""Inputs that nobody would write: answered or refused, in a line, and soon.

Each example is a sound input with some bytes, words or fields changed. A few are drawn
by one seed, the same in every run; ``MAE_BENCH_FUZZ=2000`` draws so many, anew.
"""

import csv
import io
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import Result
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn
from typer.testing import CliRunner

from mae_bench.cli import app
from mae_bench.datasets._pictures import decode
from mae_bench.encoders.checkpoint import save_mae
from mae_bench.encoders.specs import load
from mae_bench.methods.mae import MAE
from mae_bench.records import registry
from mae_bench.records.read import read_rows
from mae_bench.records.rows import COLUMNS, FACTS, IDENTITY
from mae_bench.records.schema import TIERS, UsageError
from mae_bench.records.store import Store, Trained

ROOT = Path(__file__).parent.parent
# Taken away: every command would refuse it, as a setting that it does not know.
CAMPAIGN = int(os.environ.pop("MAE_BENCH_FUZZ", "0"))
KINDS = 9
CODES = {0, 1, 2, 130}
KEY = "0" * 16
TABLE = "\n".join(
    (ROOT / "results" / "measurements" / "uniformity.csv").read_text().split("\n")[:30]
).encode()
Edits = list[tuple[str, float, bytes]]
T = TypeVar("T")


def fuzz(share: float) -> Callable[[Any], Any]:
    """As many examples as a kind's share of a campaign, or a few."""
    few, many = math.ceil(100 * share), math.ceil(CAMPAIGN / KINDS)
    return settings(
        max_examples=many if CAMPAIGN else few,
        derandomize=not CAMPAIGN,
        database=None,
        deadline=None,  # by the clock of the wall; see ``soon``
        phases=[Phase.explicit, Phase.generate],  # a few edits are small as they are
        suppress_health_check=list(HealthCheck),
    )


def soon(act: Callable[[], T]) -> T | str:
    """What an act gives, or the one line by which it refuses; in 10 CPU seconds."""
    begun = time.process_time()
    try:
        found: T | str = act()
    except UsageError as error:
        found = str(error)
    assert time.process_time() - begun < 10
    assert not isinstance(found, str) or "\n" not in found
    return found


# What is done, where (as a share of the whole), and with which bytes.
edits = st.lists(
    st.tuples(
        st.sampled_from(["put", "insert", "cut", "end", "double"]),
        st.floats(0, 1, allow_nan=False),
        st.binary(min_size=1, max_size=6)
        | st.sampled_from([b"nan", b",", b'"', b"\n", b"-1", b"1e999", b"\xff", b"{}"]),
    ),
    min_size=1,
    max_size=6,
)


def edited(content: bytes, how: Edits) -> bytes:
    """Bytes after some edits."""
    for what, where, new in how:
        at = int(where * len(content))
        head, tail = content[:at], content[at:]
        content = {
            "put": head + new + tail[len(new) :],
            "insert": head + new + tail,
            "cut": head + tail[len(new) :],
            "end": head,
            "double": head + tail[:40] + tail,
        }[what]
    return content


def image(kind: str) -> bytes:
    out = io.BytesIO()
    pixels = np.arange(12 * 9 * 3, dtype=np.uint8).reshape(12, 9, 3)
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def checkpoint() -> bytes:
    small = TIERS["smoke"].budget() | {"embed_dim": 8, "decoder_embed_dim": 8}
    known = registry.settings(MAE)
    sizes = {k: v for k, v in small.items() if k in known and k != "steps"}
    method = MAE.for_images(channels=1, image_size=8, patch_size=4, steps=1, **sizes)
    out = io.BytesIO()
    torch.save({"model": save_mae(method), "epoch": 3}, out)
    return out.getvalue()


PICTURES = [image(kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")]
WEIGHTS = checkpoint()
VERBS = ("list", "info", "compare", "rank", "verify", "register", "evaluate", "tune")
WORDS = re.findall(
    r"\S+",
    "--help --json --all --tier --results --check --seed --sample --dataset --method "
    "--track --experiment quick smoke nowhere r r/measurements . / mae K5 leaderboard "
    "mask_ratio --version -v -q -- - --set a=b steps=-1 1e9 -1 0 1:0 5:9 [bold] :x: "
    "../.. uniformity --budget 0s 1h --cost gaussian_tree HEAD~1 \x1b[31m é ' \" \\",
)
# No system hands a NUL over.
letters = st.characters(codec="utf-8", exclude_characters="\0")
said = st.lists(st.sampled_from(WORDS) | st.text(letters, max_size=9), max_size=5)


def answered(folder: Path, *words: str) -> Result:
    """What a command line comes to in a folder: a code that is known."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        done = soon(lambda: CliRunner().invoke(app, [*words]))
    finally:
        os.chdir(here)
    assert not isinstance(done, str)
    assert isinstance(done.exception, SystemExit | None), repr(done.exception)
    assert done.exit_code in CODES
    wanted = {"-v", "--verbose"} & {*words}  # they say where an error is
    assert wanted or "Traceback" not in done.output
    return done


@contextmanager
def spoilt(whole: Path, which: int, how: Edits) -> Iterator[Path]:
    """A copy of a folder, in which one of the files is edited."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(whole, Path(folder, "copy"), symlinks=True))
        files = sorted(path for path in copy.rglob("*") if path.is_file())
        path = files[which % len(files)]
        path.chmod(0o644)  # git's own are read-only
        path.write_bytes(edited(path.read_bytes(), how))
        yield copy


@fuzz(0.12)
@given(verb=st.sampled_from([*VERBS, "", "lisst"]), words=said)
def test_command_lines_end_with_a_code_that_is_known(
    verb: str, words: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        answered(Path(folder), verb, *words)


@fuzz(0.4)
@given(how=edits)
@example(how=[("insert", 0.0, b"\n")])  # an empty line before the header
def test_tables_are_read_or_refused_in_one_line(how: Edits) -> None:
    content = edited(TABLE, how)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "uniformity.csv")
        path.write_bytes(content)
        rows = soon(lambda: read_rows(path))
    if isinstance(rows, str):
        return
    values = rows.loc[rows["status"] == "ok", "value"]
    assert np.isfinite(values.to_numpy(float)).all()
    assert pd.isna(rows.loc[rows["status"] != "ok", "value"]).all()
    assert [*map(tuple, rows[[*IDENTITY, *FACTS]].astype(str).to_numpy())] == [
        *map(tuple, plainly(content)[[*IDENTITY, *FACTS]].astype(str).to_numpy())
    ]


def plainly(content: bytes) -> pd.DataFrame:
    """What the rows of a file say, read by another reader; of equal ones the first."""
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    names = next(filter(None, csv.reader(text)))  # the first line that is not empty
    rows = pd.DataFrame([*csv.DictReader(text, names)])
    for column, kind in {"seed": int, "metric_version": float, "value": float}.items():
        rows[column] = [kind(word) if word else math.nan for word in rows[column]]
    factors = [c for c in rows if c not in COLUMNS]
    return rows.drop_duplicates([*IDENTITY, *factors])


@fuzz(0.3)
@given(name=st.sampled_from(["trained.json", "scores.json", "encoder.pt"]), how=edits)
def test_a_store_gives_what_was_kept_or_nothing(name: str, how: Edits) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), lambda _: None)
        kept = Trained("ok", train_seconds=1.5, provenance={"commit": "a"})
        scores = {"mcc v1": [{"value": 0.5, "status": "ok"}]}
        store.save_trained(KEY, kept, b"weights of an encoder")
        store.add_scores(KEY, scores)
        path = Path(folder, "cells", KEY, name)
        sound = path.read_bytes()
        path.write_bytes(edited(sound, how))
        trained = store.trained(KEY)
        assert trained in (None, kept)
        assert store.scores(KEY) in ({}, scores)
        if trained:
            assert store.encoder(KEY) == b"weights of an encoder"


@fuzz(0.3)
@given(how=edits, ending=st.sampled_from(["pth", "ckpt", "safetensors", "bin"]))
def test_checkpoints_are_read_or_refused_in_one_line(how: Edits, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"vit.{ending}")
        path.write_bytes(edited(WEIGHTS, how))
        found = soon(lambda: load(str(path), 2))
    assert isinstance(found, str | nn.Module)


@fuzz(0.4)
@given(content=st.sampled_from(PICTURES), how=edits)
def test_pictures_are_decoded_or_refused_in_one_line(
    content: bytes, how: Edits
) -> None:
    raw = {"bytes": edited(content, how), "path": "a picture"}
    found = soon(lambda: decode(raw, (3, 8, 8)))
    if isinstance(found, str):
        return
    assert (found.shape, found.dtype) == ((3, 8, 8), np.uint8)


def test_without_an_edit_all_of_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "vit.pth").write_bytes(WEIGHTS)
    assert isinstance(load(str(tmp_path / "vit.pth"), 2), nn.Module)
    (tmp_path / "uniformity.csv").write_bytes(TABLE)
    assert len(read_rows(tmp_path / "uniformity.csv")) == 29
    for content in PICTURES:
        assert decode({"bytes": content, "path": None}, (3, 8, 8)).any()


# Verbs, each in a folder of which one file is edited.


def own_rows() -> str:
    """Of one's own: five seeds of a trend."""
    lines = [
        f"mae,gaussian_tree,{ratio},{seed},linear_r2,level_0,{ratio + seed / 99:.4f}"
        for ratio in (0.125, 0.25, 0.5, 0.75, 0.9375)
        for seed in range(5)
    ]
    head = "method,dataset,mask_ratio,seed,metric,target,value"
    return "\n".join([head, *lines])


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``r`` has rows, verdicts and ranks; and rows of one's own."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "r" / "measurements").mkdir(parents=True)
    (folder / "r" / "measurements" / "uniformity.csv").write_bytes(TABLE)
    (folder / "own.csv").write_text(own_rows())
    for verb in ("judge", "rank"):
        assert answered(folder, verb, "--results", "r").exit_code == 0
    return folder


@fuzz(0.08)
@given(
    verb=st.sampled_from(["judge", "rank", "site", "judge", "rank", "site", "plot"]),
    which=st.integers(0, 99),
    how=edits,
)
def test_a_spoilt_folder_of_results_is_judged_ranked_and_shown_or_refused(
    judged: Path, verb: str, which: int, how: Edits
) -> None:
    with spoilt(judged / "r", which, how) as folder:
        done = answered(folder, verb, "--results", ".")
    assert done.exit_code in (0, 2)
    assert len(done.stderr.splitlines()) <= 3


@fuzz(0.06)
@given(how=edits)
def test_rows_of_ones_own_are_judged_or_refused(judged: Path, how: Edits) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content = edited((judged / "own.csv").read_bytes(), how)
        Path(folder, "own.csv").write_bytes(content)
        done = answered(Path(folder), "judge", "--rows", "own.csv")
    assert done.exit_code in (0, 2)


ONE = ("--tier", "smoke", "--experiment", "leaderboard", "--dataset", "digits")
ONE += ("--method", "oracle_latents", "--results", "r", "--store", "s")
# The last word counts: nothing is trained here, and one failure is enough.
BOUND = ("--jobs", "0", "--on", "local", "--max-failures", "1")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cell that is measured: its rows, and its store."""
    folder = tmp_path_factory.mktemp("measured")
    done = answered(folder, "measure", *ONE, "--seeds", "1", "--jobs", "0")
    assert done.exit_code == 0, done.output
    return folder


def not_here(*_: object) -> None:
    raise RuntimeError("nothing is trained here")


@fuzz(0.06)
@given(
    verb=st.sampled_from(["measure", "run"]),
    words=said,
    which=st.integers(0, 99),
    how=edits,
)
def test_a_spoilt_store_or_table_is_measured_again_or_refused(
    measured: Path, verb: str, words: list[str], which: int, how: Edits
) -> None:
    with pytest.MonkeyPatch.context() as patch, spoilt(measured, which, how) as folder:
        patch.setattr("mae_bench.runs.measure.work", not_here)
        patch.setattr("mae_bench.pages.plot.plot", lambda *_: [])
        answered(folder, verb, *ONE, *words, *BOUND)


@fuzz(0.06)
@given(words=said, which=st.integers(0, 99), how=edits)
def test_a_spoilt_history_is_read_or_refused(
    past: Path, words: list[str], which: int, how: Edits
) -> None:
    places = ("--history", "../history", "--asv", "../asv", "--machine", "m")
    with spoilt(past, which, how) as folder:
        answered(folder / "toy", "history", "-n", "2", *words, *places, *NEVER)


NEVER = ("--tier", "smoke", "--seeds", "5", "--rerun", "never", "--no-speed")


@pytest.fixture
def past(toy: Path, commit: Callable[..., str]) -> Path:
    """A folder with a repository, and the history of its two commits."""
    commit("first", 0.75)
    commit("second", 0.5)
    places = ("--history", "../history", "--asv", "../asv", "--machine", "m")
    done = answered(toy, "history", "-n", "2", *places)
    assert done.exit_code == 0, done.output
    return toy.parent
