"""Files of weights; holds C5, C6, C7 and G9 of what was found by using it."""

import argparse
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mae_bench.encoders.facts import Facts
from mae_bench.encoders.layouts import BadCheckpoint
from mae_bench.encoders.weights import content_of, files_of, read

KEY = "patch_embed.proj.weight"
STATE = {KEY: torch.arange(6.0).view(2, 3), "norm.weight": torch.ones(2).half()}


def same(path: Path) -> bool:
    found = read(path)
    return list(found) == list(STATE) and all(
        found[k].dtype == v.dtype and torch.equal(found[k], v) for k, v in STATE.items()
    )


@pytest.mark.parametrize("name", ["x.pth", "x.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("kind", ["torch", "old torch", "safetensors"])
def test_a_file_is_read_by_what_it_is_whatever_its_name(tmp_path: Path, name, kind):
    path = tmp_path / name
    if kind == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=kind == "torch")
    if kind != "safetensors" and name == "x.safetensors":
        with pytest.raises(BadCheckpoint, match="holds no weights"):
            read(path)
    else:
        assert same(path)


@pytest.mark.parametrize("cut", [0, 3, 8, 60, -1])
def test_a_file_that_is_cut_is_refused_in_one_line(tmp_path: Path, cut: int):
    for name in ("x.safetensors", "x.pth"):
        path = tmp_path / name
        if name == "x.pth":
            torch.save(STATE, path)
        else:
            save_file(STATE, path)
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(BadCheckpoint, match="holds no weights") as refused:
            read(path)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("\n<!DOCTYPE html>\n<html></html>", "is a web page, not weights"),
        ("<html>", "is a web page, not weights"),
        ("hello\nworld\n", "holds no weights"),
        ('{"a": 1}', "holds no weights"),
    ],
)
def test_what_was_never_weights_is_called_by_its_name(tmp_path, content, why):
    for name in ("x.pth", "pytorch_model.bin", "model.safetensors"):
        (tmp_path / name).write_text(content)
        with pytest.raises(BadCheckpoint, match=why) as refused:
            read(tmp_path / name)
        assert "\n" not in str(refused.value)


class Harm:
    def __reduce__(self):
        return (Path.touch, (Path("harmed"),))


def test_a_pickle_that_would_run_something_is_refused_with_the_whole_reason(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Harm()}, "bad.pth")
    Path("worse.pth").write_bytes(pickle.dumps(Harm()))
    for name in ("bad.pth", "worse.pth"):
        with pytest.raises(BadCheckpoint, match="holds no weights") as refused:
            read(name)
        line = str(refused.value)
        assert "\n" not in line
        assert "\x1b" not in line
    assert not Path("harmed").exists()
    with pytest.raises(
        BadCheckpoint,
        match=r"GLOBAL getattr was not an allowed.*this class/f.*state_dict",
    ):
        read("bad.pth")


def test_a_zip_that_grows_is_refused_before_it_is_read(tmp_path: Path):
    torch.save({KEY: torch.zeros(10**6)}, tmp_path / "x.pth")
    with (
        zipfile.ZipFile(tmp_path / "x.pth") as plain,
        zipfile.ZipFile(tmp_path / "y.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in plain.namelist():
            packed.writestr(entry, plain.read(entry))
    with pytest.raises(BadCheckpoint, match=r"would grow to 400\d+"):
        read(tmp_path / "y.pth")


def test_numbers_of_numpys_and_arguments_beside_the_weights_do_no_harm(tmp_path: Path):
    beside = {
        "best": np.float64(0.5),
        "epoch": np.int64(3),
        "flag": np.bool_(True),
        "curve": np.arange(3.0),
        "args": argparse.Namespace(lr=np.float32(0.1), output=Path("x")),
    }
    torch.save({"model": STATE, **beside}, tmp_path / "x.pth")
    assert same(tmp_path / "x.pth")
    assert content_of(tmp_path / "x.pth")["best"] == 0.5


def test_files_that_hold_something_else_are_refused(tmp_path: Path):
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"epoch": 3}, tmp_path / "record.pt")
    for name in ("list.pt", "record.pt", "absent.pth"):
        with pytest.raises(BadCheckpoint) as refused:
            read(tmp_path / name)
        assert "\n" not in str(refused.value)


def test_a_dict_that_holds_itself_ends(tmp_path: Path):
    empty: dict = {}
    empty["model"] = empty
    torch.save(empty, tmp_path / "empty.pth")
    with pytest.raises(BadCheckpoint, match="holds no weights by name"):
        read(tmp_path / "empty.pth")
    found: dict = dict(STATE)
    found["model"] = found
    torch.save(found, tmp_path / "full.pth")
    assert same(tmp_path / "full.pth")


def test_a_folder_stands_for_its_weights(tmp_path: Path):
    with pytest.raises(BadCheckpoint, match=r"is a folder of none with \.safetensors"):
        files_of(tmp_path)
    torch.save(STATE, tmp_path / "b.pth")
    assert same(tmp_path)
    torch.save(STATE, tmp_path / "a.ckpt")
    with pytest.raises(BadCheckpoint, match=r"folder of a\.ckpt, b\.pth; give one"):
        files_of(tmp_path)
    torch.save(STATE, tmp_path / "pytorch_model.bin")
    assert files_of(tmp_path) == [tmp_path / "pytorch_model.bin"]
    save_file(STATE, tmp_path / "model.safetensors")
    assert files_of(tmp_path) == [tmp_path / "model.safetensors"]


def test_shards_are_put_together_and_none_is_looked_for_elsewhere(tmp_path: Path):
    index = tmp_path / "model.safetensors.index.json"
    for n, (key, value) in enumerate(STATE.items()):
        save_file({key: value}, tmp_path / f"{n}.safetensors")
    where = {key: f"{n}.safetensors" for n, key in enumerate(STATE)}
    index.write_text(json.dumps({"weight_map": where}))
    assert same(tmp_path)
    index.write_text(json.dumps({"weight_map": {KEY: "../../etc/passwd"}}))
    with pytest.raises(BadCheckpoint, match="names passwd, which is not there"):
        read(tmp_path)
    for text in ("[]", "{", '{"weight_map": 3}', "[" * 10**5):
        index.write_text(text)
        with pytest.raises(BadCheckpoint, match="is no index of shards"):
            read(tmp_path)


def test_what_is_said_beside_weights_is_kept_with_them(tmp_path: Path):
    torch.save(STATE, tmp_path / "x.pth")
    assert read(tmp_path / "x.pth").facts == Facts()
    (tmp_path / "config.json").write_text('{"num_attention_heads": 2}')
    for spec in (tmp_path, tmp_path / "x.pth"):
        facts = read(spec).facts
        assert facts.num_attention_heads == 2
        assert facts.source == str(tmp_path / "config.json")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BadCheckpoint, match=r"config.json is no JSON"):
        read(tmp_path)
