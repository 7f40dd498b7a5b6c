"""Inputs that nobody would write: answered or refused, in a line, and soon.

Each example is a sound input with some bytes, words or fields changed. A few are drawn
by one seed, the same in every run; ``MAE_BENCH_FUZZ=2000`` draws so many, anew.
"""

import io
import math
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, given, settings
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
from mae_bench.records.schema import TIERS, UsageError
from mae_bench.records.store import Store, Trained

ROOT = Path(__file__).parent.parent
CAMPAIGN = int(os.environ.get("MAE_BENCH_FUZZ", "0"))
CODES = {0, 1, 2, 130}
KEY = "0" * 16
TABLE = "\n".join(
    (ROOT / "results" / "measurements" / "uniformity.csv").read_text().split("\n")[:30]
).encode()
Edits = list[tuple[str, float, bytes]]
T = TypeVar("T")


def fuzz(share: float) -> Callable[[Any], Any]:
    """As many examples as a fifth of a campaign, or a few."""
    return settings(
        max_examples=math.ceil(CAMPAIGN / 5) if CAMPAIGN else math.ceil(100 * share),
        derandomize=not CAMPAIGN,
        database=None,
        deadline=None,  # by the clock of the wall; see ``soon``
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
said = st.lists(
    st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=9),
    max_size=5,
)


@fuzz(0.4)
@given(verb=st.sampled_from([*VERBS, "", "lisst"]), words=said)
def test_command_lines_end_with_a_code_that_is_known(
    verb: str, words: list[str]
) -> None:
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            done = soon(lambda: CliRunner().invoke(app, [verb, *words]))
        finally:
            os.chdir(here)
    assert not isinstance(done, str)
    assert isinstance(done.exception, SystemExit | None), repr(done.exception)
    assert done.exit_code in CODES
    assert "Traceback" not in done.output


@fuzz(0.6)
@given(how=edits)
def test_tables_are_read_or_refused_in_one_line(how: Edits) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "uniformity.csv")
        path.write_bytes(edited(TABLE, how))
        rows = soon(lambda: read_rows(path))
    if isinstance(rows, str):
        return
    values = rows.loc[rows["status"] == "ok", "value"]
    assert np.isfinite(values.to_numpy(float)).all()
    assert pd.isna(rows.loc[rows["status"] != "ok", "value"]).all()


@fuzz(0.6)
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


@fuzz(0.4)
@given(how=edits, ending=st.sampled_from(["pth", "ckpt", "safetensors", "bin"]))
def test_checkpoints_are_read_or_refused_in_one_line(how: Edits, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"vit.{ending}")
        path.write_bytes(edited(WEIGHTS, how))
        found = soon(lambda: load(str(path), 2))
    assert isinstance(found, str | nn.Module)


@fuzz(0.6)
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
