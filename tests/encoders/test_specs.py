"""What can be asked for; holds C8 of what was found by using it."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from mae_bench.encoders.specs import identity, load, weights_of
from mae_bench.models.vit import ViT
from mae_bench.records.schema import UsageError


def vit(seed: int = 0) -> ViT:
    sizes = {"image_size": 8, "channels": 3, "patch_size": 4, "embed_dim": 8}
    return ViT(torch.Generator().manual_seed(seed), **sizes, depth=1, num_heads=2)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder, in which modules are found for a while."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("theirs", "odd", "near"):
        sys.modules.pop(name, None)


def test_a_function_in_the_current_folder_is_found(here: Path):
    text = "from torch import nn\ndef net(): return nn.Linear(2, 3)\nready = net()\n"
    (here / "theirs.py").write_text(text)
    assert load("theirs:net").out_features == 3
    assert load("theirs:ready") is load("theirs:ready")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("absent.pth", r"there is no absent.pth; give a file or a folder of weights"),
        ("absent.pth:teacher", "ModuleNotFoundError: No module named 'absent'"),
        ("absent.py:net", "ModuleNotFoundError"),
        ("absent:net", "ModuleNotFoundError: No module named 'absent'"),
        ("odd:absent", "AttributeError: module 'odd' has no attribute 'absent'"),
        ("odd:word", "odd:word gave str; expected an nn.Module"),
        ("odd:angry", "ZeroDivisionError: one$"),
        ("odd:masks", r"set its config.mask_ratio, now 0.75, to 0"),
        ("odd.py", r"odd.py is code; name a function in it, odd.py:function"),
        ("odd.py:absent", "AttributeError: module 'odd' has no attribute 'absent'"),
        ("odd.py:word", r"odd.py:word gave str; expected an nn.Module"),
        (":", "there is no :"),
        ("x.pth:pupil", r"x.pth holds no encoder pupil; it holds 2 encoders: a, b"),
        ("x.pth", r"x.pth: it holds 2 encoders: a, b; say which, as x.pth:a"),
    ],
)
def test_what_cannot_be_had_is_one_line(here: Path, spec: str, message: str):
    lines = (
        "from types import SimpleNamespace as Some",
        "from torch import nn",
        "def word(): return 'vit'",
        "def angry(): raise ZeroDivisionError('one\\ntwo')",
        "masks = nn.Linear(1, 1)",
        "masks.config = Some(mask_ratio=0.75)",
    )
    (here / "odd.py").write_text("\n".join(lines))
    two = {part: {"patch_embed.proj.weight": torch.ones(1)} for part in "ab"}
    torch.save(two, here / "x.pth")
    with pytest.raises(UsageError, match=message) as refused:
        load(spec)
    assert "\n" not in str(refused.value)


def test_a_network_is_told_by_its_file_or_by_its_weights(here: Path):
    path = here / "x.pth"
    path.write_bytes(b"weights")
    assert identity(str(path), vit()) == hashlib.sha256(b"weights").hexdigest()
    one, same, other = vit(), vit(), vit()
    with torch.no_grad():
        other.positions[0, 0] += 1
    assert identity("m:f", one) == identity("m:f", same) != identity("m:f", other)


def test_a_file_of_code_is_found_wherever_it_lies_with_its_neighbours(here: Path):
    (here / "deep").mkdir()
    (here / "deep" / "near.py").write_text("WIDTH = 5\n")
    text = (
        "from near import WIDTH\nfrom torch import nn\n"
        "def net(): return nn.Linear(2, WIDTH)\n"
    )
    path = here / "deep" / "theirs.py"
    path.write_text(text)
    assert load("deep/theirs.py:net").out_features == 5
    assert load(f"{path}:net").out_features == 5
    (here / "theirs.py").write_text("from torch import nn\nnet = nn.Linear(2, 7)\n")
    assert load("theirs.py:net").out_features == 7


def saved(folder: Path) -> dict:
    """A checkpoint of Lightning's with two encoders of ours."""
    record = {"method": "BYOL", "num_heads": 2, "patch_size": 4, "image_size": 8}
    state = {
        f"{part}.{key}": value
        for seed, part in enumerate(("encoder", "momentum_encoder"))
        for key, value in vit(seed).state_dict().items()
    }
    found = {"state_dict": state, "hyper_parameters": record}
    torch.save(found, folder / "x.ckpt")
    return found


def test_a_part_of_a_file_or_a_folder_is_an_encoder_too(here: Path):
    (here / "folder").mkdir()
    saved(here / "folder")
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for seed, part in enumerate(("encoder", "momentum_encoder")):
        for spec in (f"folder/x.ckpt:state_dict.{part}", f"folder:state_dict.{part}"):
            assert torch.equal(load(spec)(images), vit(seed)(images))


def test_what_is_assumed_of_weights_is_told_with_their_name(here: Path):
    record = saved(here)["hyper_parameters"]
    lines: list[str] = []
    load("x.ckpt:state_dict.encoder", told=lines.append)
    assert not lines
    del record["num_heads"]
    state = {"patch_embed.proj.weight": torch.zeros(64, 3, 4, 4)}
    state |= {
        "pos_embed": torch.zeros(1, 4, 64),
        "patch_embed.proj.bias": torch.ones(64),
    }
    shapes = {"norm1": (64,), "attn.qkv": (192, 64), "attn.proj": (64, 64)}
    shapes |= {"norm2": (64,), "mlp.fc1": (64, 64), "mlp.fc2": (64, 64)}
    for part, shape in shapes.items():
        state[f"blocks.0.{part}.weight"] = torch.zeros(shape)
        state[f"blocks.0.{part}.bias"] = torch.zeros(shape[0])
    state |= {"norm.weight": torch.ones(64), "norm.bias": torch.ones(64)}
    torch.save(state, here / "y.pth")
    load("y.pth", told=lines.append)
    load("y.pth", 4, lines.append)
    assert all(line.startswith("y.pth: assumed ") for line in lines)
    assert '"num_attention_heads": 1' in lines[0]
    assert "num_attention_heads" not in lines[1]


def test_what_is_said_beside_weights_tells_a_network_from_another(here: Path):
    path = here / "x.pth"
    path.write_bytes(b"weights")
    alone = identity("x.pth", vit())
    (here / "config.json").write_text("{}")
    assert alone != identity("x.pth", vit()) == identity("x.pth:part", vit())


def test_a_network_that_waits_for_its_first_image_is_refused_in_one_line() -> None:
    lazy = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
    with pytest.raises(UsageError, match="Sequential has a layer without a shape"):
        weights_of(lazy)
    lazy(torch.zeros(2, 1, 2, 2))
    assert len(weights_of(lazy)) == 64
