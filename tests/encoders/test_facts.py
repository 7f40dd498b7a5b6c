"""Nothing is guessed in silence; holds A10 of what was found by using it."""

import json
from pathlib import Path

import pytest
import torch

from mae_bench.encoders.facts import (
    ACTIVATIONS,
    Facts,
    Weights,
    assumed,
    facts_of,
    heads_of,
    of_config,
    of_record,
    said_alike,
)
from mae_bench.encoders.layouts import BadCheckpoint

SIZES = {"embed_dim": 384, "image_size": 24}


def config(folder: Path, **said: object) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps(said))
    return path


def test_a_config_says_what_weights_do_not(tmp_path: Path):
    said = {"num_attention_heads": 12, "hidden_act": "relu", "layer_norm_eps": 1e-5}
    path = config(
        tmp_path, **said, image_size=[32, 32], pos_embed=False, model_type="x"
    )
    facts = of_config(path)
    assert facts == Facts(12, "relu", 1e-5, 32, source=str(path))
    lines: list[str] = []
    whole = assumed(facts, SIZES, 1e-6, lines.append)
    assert whole == facts
    assert not lines
    assert of_config(config(tmp_path, architecture="resnet50")) == Facts()


def test_what_nobody_says_is_assumed_aloud_and_once():
    lines: list[str] = []
    whole = assumed(Facts(hidden_act="relu"), SIZES, 1e-12, lines.append)
    assert whole == Facts(6, "relu", 1e-12, 24)
    (line,) = lines
    said = '"num_attention_heads": 6, "layer_norm_eps": 1e-12, "image_size": 24'
    assert line.startswith(f"assumed {said}: weights do not tell")
    assert "config.json" in line


@pytest.mark.parametrize(
    ("width", "heads"),
    [
        *((192, 3), (384, 6), (768, 12), (1024, 16), (1152, 16), (1280, 16)),
        *((1408, 16), (1664, 16), (512, 8), (128, 2)),
    ],
)
def test_widths_that_were_released_have_their_heads(width, heads):
    assert heads_of(width, None) == heads
    assert heads_of(width, 4) == 4


def test_moco_v3s_small_vit_has_twelve():
    assert heads_of(384, None, moco=True) == 12
    assert heads_of(768, None, moco=True) == 12


@pytest.mark.parametrize(("width", "heads"), [(64, 7), (32, None), (100, None)])
def test_heads_that_cannot_be_are_refused(width, heads):
    if width == 100 and heads is None:
        assert heads_of(width, None) == 1
        return
    with pytest.raises(BadCheckpoint, match="give the number of attention heads"):
        heads_of(width, heads)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"num_attention_heads": 0}, "num_attention_heads 0 is not supported"),
        ({"num_attention_heads": True}, "num_attention_heads True is not supported"),
        ({"num_attention_heads": [3]}, r"num_attention_heads \[3\] is not supported"),
        ({"num_attention_heads": 1.5}, "num_attention_heads 1.5 is not supported"),
        ({"hidden_act": "mish"}, "hidden_act 'mish' is not supported; give module:f"),
        ({"hidden_act": ["gelu"]}, "is not supported"),
        ({"layer_norm_eps": 0}, "layer_norm_eps 0 is not supported"),
        ({"layer_norm_eps": "1e-6"}, "is not supported"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps nan is not supported"),
        ({"image_size": [8, 32]}, r"image_size \[8, 32\] is not square"),
        ({"patch_size": [16, 8]}, r"patch_size \[16, 8\] is not square"),
        ({"image_size": []}, "is not supported"),
    ],
)
def test_what_our_vit_cannot_be_is_refused_with_who_says_it(tmp_path, said, message):
    path = config(tmp_path, **said)
    with pytest.raises(BadCheckpoint, match=message) as refused:
        of_config(path)
    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize("text", ["{", "[]", "[" * 10**5, "\xff", ""])
def test_a_config_that_is_none_is_one_line(tmp_path: Path, text: str):
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(BadCheckpoint, match=r"config.json is no JSON") as refused:
        of_config(tmp_path / "config.json")
    assert "\n" not in str(refused.value)


def test_our_own_record_says_all():
    record = {"method": "MAE", "num_heads": 4, "patch_size": 2, "image_size": 8}
    record |= {"channels": 3, "embed_dim": 32, "depth": 2, "pos_embed": False}
    facts = of_record({"hyper_parameters": record})
    assert facts.num_attention_heads == 4
    assert (facts.hidden_act, facts.layer_norm_eps) == ("gelu", 1e-6)
    assert not facts.pos_embed
    for other in ({}, {"hyper_parameters": {"lr": 1}}, {"hyper_parameters": 3}):
        assert of_record(other) == Facts()


def test_the_user_is_asked_first_and_sizes_must_agree():
    state = Weights({"a": torch.ones(1)}, Facts(num_attention_heads=3, source="x"))
    assert facts_of(state).num_attention_heads == 3
    assert facts_of(state, 4).num_attention_heads == 4
    assert facts_of({}) == Facts()
    said_alike(facts_of(state), {"num_attention_heads": 3, "patch_size": 9}, "it has")
    with pytest.raises(BadCheckpoint, match="x says num_attention_heads 3; it has 4"):
        said_alike(facts_of(state), {"num_attention_heads": 4}, "it has")


def test_activations_are_those_of_their_names():
    x = torch.linspace(-4, 4, 41, dtype=torch.float64)
    inner = 0.7978845608028654 * (x + 0.044715 * x**3)
    expected = {
        "gelu": x * 0.5 * (1 + torch.erf(x / 2**0.5)),
        "gelu_new": 0.5 * x * (1 + inner.tanh()),
        "gelu_pytorch_tanh": 0.5 * x * (1 + inner.tanh()),
        "quick_gelu": x / (1 + (-1.702 * x).exp()),
        "relu": x.clamp_min(0),
        "swish": x / (1 + (-x).exp()),
    }
    for name, values in expected.items():
        assert torch.allclose(ACTIVATIONS[name]()(x), values, atol=1e-12), name
