import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from mae_bench.datasets.digits import Digits
from mae_bench.encoders.checkpoint import save_mae
from mae_bench.encoders.sweep import encoders_of, levels_of
from mae_bench.methods.mae import MAE
from mae_bench.records.schema import UsageError

LEVELS = {"mask_ratio": ["0.25", ".5"]}


def make(mask_ratio: float, seed: int) -> nn.Module:
    net = nn.Flatten()
    net.said = (mask_ratio, seed)
    return net


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_function_is_called_at_every_level_and_seed() -> None:
    found = encoders_of(make, LEVELS, range(3, 5))
    assert [(e.at["mask_ratio"], e.seed) for e in found] == [
        *((0.25, 3), (0.25, 4), (0.5, 3), (0.5, 4)),
    ]
    assert [e.load().said for e in found] == [
        (e.at["mask_ratio"], e.seed) for e in found
    ]
    assert str(found[0]) == "mask_ratio 0.25, seed 3"
    assert found[0].spec == "make(mask_ratio=0.25, seed=3)"


def test_a_pattern_finds_files_by_their_names_as_they_were_written() -> None:
    generator = torch.Generator().manual_seed(0)
    method = MAE(Digits(generator), generator, patch_size=4)
    for level in (".5", "0.25"):
        torch.save({"model": save_mae(method)}, f"enc_{level}_0.pt")
    spec = "enc_{mask_ratio}_{seed}.pt"
    told: list[str] = []
    found = encoders_of(spec, LEVELS, range(1), 4, told.append)
    assert [e.spec for e in found] == ["enc_0.25_0.pt", "enc_.5_0.pt"]
    assert all(isinstance(e.load(), nn.Module) for e in found)
    assert len(told) == 1
    with pytest.raises(UsageError, match=r"no enc_0\.25_1\.pt, nor 1 more; enc_{mask"):
        encoders_of(spec, LEVELS, range(2), num_heads=4)


def test_a_file_of_code_has_the_function() -> None:
    text = "from torch import nn\ndef make(mask_ratio, seed): return nn.Flatten()\n"
    Path("swept_code.py").write_text(f"{text}net = nn.Flatten()\n")
    (first, *_) = encoders_of("swept_code.py:make", LEVELS, range(1))
    assert isinstance(first.load(), nn.Flatten)
    with pytest.raises(UsageError, match="is no function, which a sweep calls"):
        encoders_of("swept_code.py:net", LEVELS, range(1))
    with pytest.raises(UsageError, match="name a function in it"):
        encoders_of("swept_code.py", LEVELS, range(1))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mask_ratio"], "expected NAME=LEVEL,LEVEL"),
        (["mask_ratio=0.5,"], "expected NAME=LEVEL,LEVEL"),
        (["mask ratio=1,2"], "expected NAME=LEVEL,LEVEL"),
        (["mask_ratio=.5"], "needs two or more levels"),
        (["mask_ratio=.5,0.5"], "a level is given twice"),
        (["seed=1,2"], "seed is given by --seeds or twice"),
        (["lamb=0,1", "lamb=2,3"], "lamb is given by --seeds or twice"),
    ],
)
def test_levels_that_are_ambiguous_are_refused(words, message) -> None:
    with pytest.raises(UsageError, match=message):
        levels_of(words)


def test_another_factor_may_have_one_level() -> None:
    assert levels_of(["lamb=0,1", "mask_unit=2"])["mask_unit"] == ["2"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("enc_{mask_ratio}.pt", r"has no \{seed\}: one file for each seed"),
        ("enc_{seed}.pt", r"has no \{mask_ratio\}"),
        ("enc_{mask_ratio}_{seed}_{lamb}.pt", "no levels of 'lamb'; give --sweep"),
        ("enc_{mask_ratio.pt", "is no pattern"),
        ("absent.pt", "is one encoder; a sweep needs one a level and seed"),
        ("absent_package:make", "cannot be had"),
        (dict.fromkeys, "is to be called with mask_ratio, seed"),
    ],
)
def test_what_has_no_encoder_for_each_is_refused(spec, message) -> None:
    with pytest.raises(UsageError, match=message):
        encoders_of(spec, LEVELS, range(2))


def test_what_is_made_must_be_a_network() -> None:
    (first, *_) = encoders_of(dict, LEVELS, range(1))
    with pytest.raises(UsageError, match=r"\(mask_ratio=0\.25, seed=0\) gave dict"):
        first.load()
