import json
import pickle
import struct
from pathlib import Path

import pytest
import torch

from mae_bench.encoders.layouts import BadCheckpoint
from mae_bench.encoders.weights import DTYPES, of_safetensors, read, unwrapped


def file_of(header: dict, numbers: bytes) -> bytes:
    """A safetensors file, put together by hand."""
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


PAIR = file_of(
    {
        "__metadata__": {"format": "pt"},
        "b": entry("I64", [2], 24, 40),
        "a": entry("F32", [2, 3], 0, 24),
        "none": entry("F16", [0, 4], 40, 40),
        "one": entry("BF16", [], 40, 42),
    },
    struct.pack("<6f2q", *range(6), -1, 7) + b"\x80\x3f",
)


def test_safetensors_are_numbers_where_the_header_says():
    found = of_safetensors(PAIR)
    assert list(found) == ["b", "a", "none", "one"]
    assert torch.equal(found["a"], torch.arange(6.0).view(2, 3))
    assert torch.equal(found["b"], torch.tensor([-1, 7]))
    assert (found["none"].shape, found["none"].dtype) == ((0, 4), torch.float16)
    assert (found["one"].item(), found["one"].dtype) == (1.0, torch.bfloat16)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_every_type_is_read_bit_for_bit(dtype):
    tensor = torch.tensor([0, 1, 1, 0]).to(dtype)
    name = next(k for k, v in DTYPES.items() if v is dtype)
    raw = tensor.view(torch.uint8).numpy().tobytes()
    content = file_of({"x": entry(name, [4], 0, len(raw))}, raw)
    found = of_safetensors(content)["x"]
    assert found.dtype == dtype
    assert torch.equal(found, tensor)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 20,
        PAIR[:60],
        PAIR[:-1],
        file_of({"a": entry("F32", [2], 0, 4)}, b"\0" * 8),
        file_of({"a": entry("F32", [1], -4, 0)}, b"\0" * 8),
        file_of({"a": entry("F32", [-1, -1], 0, 4)}, b"\0" * 8),
        file_of({"a": entry("Q7", [1], 0, 4)}, b"\0" * 8),
        file_of({"a": 3}, b""),
        file_of([], b""),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadCheckpoint, match="holds no weights") as refused:
        read(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


class Harm:
    def __reduce__(self):
        return (Path.touch, (Path("harmed"),))


def test_a_pickle_that_would_run_something_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Harm()}, "bad.pth")
    Path("worse.pth").write_bytes(pickle.dumps(Harm()))
    for name in ("bad.pth", "worse.pth"):
        with pytest.raises(BadCheckpoint, match="holds no weights"):
            read(name)
    assert not Path("harmed").exists()


def test_files_that_hold_something_else_are_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"epoch": 3}, tmp_path / "record.pt")
    (tmp_path / "text.pth").write_text("hello\nworld\n")
    for name in ("list.pt", "record.pt", "text.pth", "absent.pth", "."):
        with pytest.raises(BadCheckpoint) as refused:
            read(tmp_path / name)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_good_file_is_read(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    if suffix == ".pt":
        torch.save({"model": {"a": torch.arange(6.0).view(2, 3)}}, path)
    else:
        path.write_bytes(PAIR)
    assert torch.equal(read(path)["a"], torch.arange(6.0).view(2, 3))


W = torch.ones(1)


@pytest.mark.parametrize(
    "found",
    [
        {"w": W},
        {"model": {"w": W}, "optimizer": {"state": {}}, "epoch": 1},
        {"state_dict": {"module.w": W}},
        {"student": {"w": W + 1}, "teacher": {"module.backbone.w": W}},
        {"teacher": {"backbone.w": W, "head.mlp.0.weight": W}},
        {"state_dict": {"model._orig_mod.w": W}},
        {"w": W, "epoch": 3},
    ],
)
def test_wrappers_and_prefixes_that_are_known_are_taken_off(found):
    state = unwrapped(found)
    assert list(state) == ["w"]
    assert torch.equal(state["w"], W)


def test_other_prefixes_stay():
    state = {"encoder.w": W, "module.w": W}
    assert unwrapped(state) == state
    assert unwrapped({"head.w": W}) == {"head.w": W}
