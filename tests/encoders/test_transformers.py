"""Hugging Face's own models against what is read of their files.

Run by who has ``pip install mae_bench[dev-encoders]``. Holds A10, A11 and C1 of what
was found by using it. ``save_pretrained`` writes the names of transformers 4,
``state_dict`` has those of the version that runs.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mae_bench.datasets._own_images import OwnImages
from mae_bench.encoders.checkpoint import mae_of, read
from mae_bench.encoders.layouts import BadCheckpoint
from mae_bench.encoders.outsider import Reader
from mae_bench.encoders.specs import load
from mae_bench.models.masking import Masking

hf = pytest.importorskip("transformers", reason="pip install mae_bench[dev-encoders]")

SIDE, CLOSE = 24, 1e-5
SIZES = {
    "hidden_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 256,
    "image_size": SIDE,
    "patch_size": 4,
}
MAE = {"mask_ratio": 0.0, "decoder_num_hidden_layers": 2, "decoder_hidden_size": 32}
MAE |= {"decoder_num_attention_heads": 4, "decoder_intermediate_size": 128}
MAE |= {"intermediate_size": 4 * 96}  # as MAE's own are
MODELS = {
    "ViT": ("ViTConfig", "ViTModel", {}),
    "ViT without biases": ("ViTConfig", "ViTModel", {"qkv_bias": False}),
    "ViT, tanh, eps": (
        "ViTConfig",
        "ViTForImageClassification",
        {"hidden_act": "gelu_new", "layer_norm_eps": 1e-3},
    ),
    "ViT, quick, grey": (
        "ViTConfig",
        "ViTModel",
        {"hidden_act": "quick_gelu", "num_channels": 1},
    ),
    "ViTMAE": ("ViTMAEConfig", "ViTMAEModel", MAE),
    "ViTMAE with its decoder": ("ViTMAEConfig", "ViTMAEForPreTraining", MAE),
    "DINOv2": ("Dinov2Config", "Dinov2Model", {"mlp_ratio": 2}),
    "DINOv2 with a head": ("Dinov2Config", "Dinov2ForImageClassification", {}),
    "DINOv2 with registers": (
        "Dinov2WithRegistersConfig",
        "Dinov2WithRegistersModel",
        {"num_register_tokens": 3, "qkv_bias": False},
    ),
    "I-JEPA": ("IJepaConfig", "IJepaModel", {}),
}
BY_MODULE = [name for name, (_, model, _) in MODELS.items() if "MAE" not in model]


def made(name: str) -> Any:
    """A model whose every weight, also those that begin at 0 or 1, is drawn."""
    config, kind, settings = MODELS[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(hf, kind)(getattr(hf, config)(**SIZES | settings)).eval()
        with torch.no_grad():
            for weight in model.parameters():
                size = weight.shape[-1] ** 0.5 if weight.ndim > 1 else 1
                weight.add_(0.3 * torch.randn(weight.shape) / size)
    return model


def images(channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(5, channels, SIDE, SIDE, generator=generator)


def theirs(name: str, model: Any, x: Tensor) -> dict[str, Tensor]:
    """Mean of the patches and class token of the library's own forward pass."""
    base = model.base_model
    noise = {"noise": torch.arange(36.0).expand(5, -1)} if "MAE" in name else {}
    with torch.no_grad():
        found = base(pixel_values=x, **noise).last_hidden_state
    first = 0 if name == "I-JEPA" else 1
    first += getattr(model.config, "num_register_tokens", 0)
    cls = {} if name == "I-JEPA" else {"cls": found[:, 0]}
    return {"mean": found[:, first:].mean(1), **cls}


def saved(model: Any, folder: Path, how: str) -> str:
    """The model in a folder, by the names of transformers 4, 5, or 5 in a training."""
    model.save_pretrained(folder)
    if how == "save_pretrained":
        return str(folder)
    state = {f"net.{k}": v for k, v in model.state_dict().items()}
    state = state if how == "trained" else model.state_dict()
    torch.save({"state_dict": state}, folder / "x.ckpt")
    return str(folder / "x.ckpt")


@pytest.mark.parametrize("how", ["save_pretrained", "state_dict", "trained"])
@pytest.mark.parametrize("name", MODELS)
def test_a_file_is_read_as_the_library_computes_it(tmp_path: Path, name, how):
    model, lines = made(name), []
    x = images(getattr(model.config, "num_channels", 3))
    encoder = load(saved(model, tmp_path, how), told=lines.append)
    found, expected = Reader(encoder)(x), theirs(name, model, x)
    assert not lines
    assert set(found) == set(expected)
    worst = max(float((found[k] - v).abs().max()) for k, v in expected.items())
    print(f"{name}, {how}: {worst:.1e}")  # noqa: T201 (for who runs it with -s)
    assert worst < CLOSE


@pytest.mark.parametrize("name", BY_MODULE)
def test_a_module_is_read_as_the_library_computes_it(name):
    model = made(name).base_model
    x = images(model.config.num_channels)
    found, expected = Reader(model)(x), theirs(name, model, x)
    assert set(found) == set(expected)
    assert all((found[k] - v).abs().max() < CLOSE for k, v in expected.items())


def test_without_a_config_what_is_assumed_is_told_and_heads_can_be_said(tmp_path: Path):
    model, lines = made("ViT"), []
    path = saved(model, tmp_path, "state_dict")
    (tmp_path / "config.json").unlink()
    with torch.no_grad():
        found = Reader(load(path, 4, lines.append))(images())
    expected = theirs("ViT", model, images())
    assert (found["mean"] - expected["mean"]).abs().max() < CLOSE
    assert '"hidden_act": "gelu", "layer_norm_eps": 1e-12' in lines[0]


def test_a_config_that_is_of_other_weights_is_refused(tmp_path: Path):
    path = saved(made("DINOv2 with registers"), tmp_path, "state_dict")
    config = json.loads((tmp_path / "config.json").read_text())
    for word, other in (("hidden_size", 64), ("num_register_tokens", 4)):
        (tmp_path / "config.json").write_text(json.dumps(config | {word: other}))
        with pytest.raises(
            BadCheckpoint, match=f"says {word} {other}; the weights have"
        ):
            load(path)


@pytest.mark.parametrize("how", ["save_pretrained", "state_dict"])
def test_an_mae_with_its_decoder_has_the_librarys_loss(tmp_path: Path, how):
    model = made("ViTMAE with its decoder")
    with torch.no_grad():
        # As in MAE: the class token has no place.
        model.vit.embeddings.position_embeddings[:, 0] = 0
        model.decoder.decoder_pos_embed[:, 0] = 0
    model.config.mask_ratio = 0.75
    noise = torch.rand(5, 36, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = model(pixel_values=images(), noise=noise)
    method = mae_of(read(saved(model, tmp_path, how)), OwnImages(3, SIDE, None))
    ids = noise.argsort(1)
    masking = Masking(ids[:, :9], ids[:, 9:])
    assert torch.equal(masking.mask, expected.mask)
    with torch.no_grad():
        tokens = method.forward_encoder(images(), masking)
        prediction = method.forward_decoder(tokens, masking)
        loss = method.forward_loss(images(), prediction, masking)
    assert abs(float(loss - expected.loss)) < CLOSE * float(expected.loss)
