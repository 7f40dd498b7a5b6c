"""Encoders as they are published: names, shapes, and what each library computes.

Forward passes are written down here anew, from each library's source, on its own names.
Holds C2 and C3 of what was found by using it; transformers' are in
``test_transformers``.
"""

import json
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from mae_bench.encoders.layouts import BadCheckpoint
from mae_bench.encoders.outsider import Reader
from mae_bench.encoders.specs import load
from mae_bench.methods.byol import BYOL
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE

WIDTH, DEPTH, PATCH, GRID, HEADS = 64, 2, 4, 4, 4
HIDDEN = 160  # no multiple of the width
CLOSE = 1e-5


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images() -> Tensor:
    return torch.randn(5, 3, PATCH * GRID, PATCH * GRID, generator=stream(1))


def timm(
    width: int = WIDTH, *, scale: str = "", qkv_bias: bool = True, cls: bool = True
):
    """State dict of ``timm.models.vision_transformer.VisionTransformer``."""
    rows = GRID**2 + cls
    shapes = {"cls_token": (1, 1, width)} if cls else {}
    shapes |= {"pos_embed": (1, rows, width)}
    shapes |= {"patch_embed.proj.weight": (width, 3, PATCH, PATCH)}
    shapes |= {"patch_embed.proj.bias": (width,)}
    for i in range(DEPTH):
        for part, shape in {
            "norm1": (width,),
            "attn.qkv": (3 * width, width),
            "attn.proj": (width, width),
            "norm2": (width,),
            "mlp.fc1": (HIDDEN, width),
            "mlp.fc2": (width, HIDDEN),
        }.items():
            shapes[f"blocks.{i}.{part}.weight"] = shape
            if qkv_bias or part != "attn.qkv":
                shapes[f"blocks.{i}.{part}.bias"] = shape[:1]
        if scale:
            shapes[f"blocks.{i}.{scale.format(1)}"] = (width,)
            shapes[f"blocks.{i}.{scale.format(2)}"] = (width,)
    shapes |= {"norm.weight": (width,), "norm.bias": (width,)}
    draws = stream(2)
    return {
        key: torch.randn(shape, generator=draws) / (shape[-1] ** 0.5 if key else 1)
        for key, shape in shapes.items()
    }


def norm(state, name: str, x: Tensor, eps: float) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    x = centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt()
    return x * state[f"{name}.weight"] + state[f"{name}.bias"]


def block(state, name: str, x: Tensor, heads: int, eps: float, scale: str) -> Tensor:
    """x + ls1(attn(norm1(x))), then x + ls2(mlp(norm2(x)))."""
    n, count, width = x.shape
    h = norm(state, f"{name}.norm1", x, eps) @ state[f"{name}.attn.qkv.weight"].T
    h = h + state.get(f"{name}.attn.qkv.bias", 0)
    q, k, v = (p.unflatten(-1, (heads, -1)).transpose(1, 2) for p in h.chunk(3, -1))
    look = torch.softmax(q @ k.mT / (width / heads) ** 0.5, -1)
    h = (look @ v).transpose(1, 2).reshape(n, count, width)
    h = F.linear(h, *(state[f"{name}.attn.proj.{k}"] for k in ("weight", "bias")))
    x = x + h * (state[f"{name}.{scale.format(1)}"] if scale else 1)
    h = norm(state, f"{name}.norm2", x, eps)
    h = F.linear(h, *(state[f"{name}.mlp.fc1.{k}"] for k in ("weight", "bias")))
    h = h * 0.5 * (1 + torch.erf(h / 2**0.5))
    h = F.linear(h, *(state[f"{name}.mlp.fc2.{k}"] for k in ("weight", "bias")))
    return x + h * (state[f"{name}.{scale.format(2)}"] if scale else 1)


def patches(state, x: Tensor) -> Tensor:
    weight, bias = state["patch_embed.proj.weight"], state["patch_embed.proj.bias"]
    return F.conv2d(x, weight, bias, stride=PATCH).flatten(2).mT


def blocks(state, x: Tensor, heads=HEADS, eps=1e-6, scale="") -> Tensor:
    for i in range(DEPTH):
        x = block(state, f"blocks.{i}", x, heads, eps, scale)
    return x


def tokens(state, heads=HEADS, scale="", front=(), after=()) -> Tensor:
    """timm's and DINOv2's: tokens in front have places, those after the first none."""
    x = patches(state, images())
    before = [state[word].expand(len(x), -1, -1) for word in front]
    x = torch.cat([*before, x], 1) + state["pos_embed"]
    late = [state[word].expand(len(x), -1, -1) for word in after]
    x = torch.cat([x[:, : len(front)], *late, x[:, len(front) :]], 1)
    return norm(state, "norm", blocks(state, x, heads, scale=scale), 1e-6)


def below(prefix: str, state: dict) -> dict:
    return {f"{prefix}{key}": value for key, value in state.items()}


def said(path: Path, found: dict, part: str = "", heads: int = HEADS) -> dict:
    """What a file's encoder says of the images; nobody says ``heads`` 0."""
    torch.save(found, path / "x.pth")
    if heads:
        config = {"num_attention_heads": heads, "image_size": PATCH * GRID}
        (path / "config.json").write_text(json.dumps(config))
    return Reader(load(f"{path / 'x.pth'}{part}"))(images())


def check(found: dict, expected: Tensor, prefix: int = 1, cls: bool = True) -> None:
    assert set(found) == ({"mean", "cls"} if cls else {"mean"})
    assert (found["mean"] - expected[:, prefix:].mean(1)).abs().max() < CLOSE
    if cls:
        assert (found["cls"] - expected[:, 0]).abs().max() < CLOSE


CLS, AFTER = ("cls_token",), ("register_tokens",)
WRAPS = {
    "timm": lambda s: s | {"head.weight": torch.ones(2, WIDTH)},
    "DDP": lambda s: {"state_dict": below("module.", s), "epoch": 3},
    "compiled": lambda s: below("_orig_mod.", s),
    "Lightning": lambda s: {
        "state_dict": below("backbone.", s)
        | {"projection_head.0.weight": torch.ones(2)},
        "pytorch-lightning_version": "2.5.0",
    },
    "lightly's MAE": lambda s: {
        "state_dict": below("backbone.vit.", s)
        | {"backbone.mask_token": torch.ones(1, 1, WIDTH)}
        | {"decoder.decoder_embed.weight": torch.ones(8, WIDTH)}
    },
    "timm's moving average": lambda s: {"state_dict_ema": s, "epoch": 3},
    "torch's moving average": lambda s: {
        "model_ema": {"n_averaged": torch.tensor(7), **below("module.", s)}
    },
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_vit_is_read_out_of_what_is_around_it(tmp_path: Path, wrap):
    state = timm()
    check(said(tmp_path, wrap(state)), tokens(state, front=CLS))


@pytest.mark.parametrize("scale", ["ls{}.gamma", "gamma_{}"])
@pytest.mark.parametrize("qkv_bias", [True, False])
def test_timms_layer_scale_and_absent_biases(tmp_path: Path, scale, qkv_bias):
    state = timm(scale=scale, qkv_bias=qkv_bias)
    check(said(tmp_path, state), tokens(state, scale=scale, front=CLS))


def registers(count: int = 4) -> Tensor:
    return torch.randn(1, count, WIDTH, generator=stream(3))


def test_dinov2_with_registers_as_meta_releases_it(tmp_path: Path):
    state = timm(scale="ls{}.gamma") | {"register_tokens": registers()}
    state["mask_token"] = torch.ones(1, WIDTH)
    expected = tokens(state, scale="ls{}.gamma", front=CLS, after=("register_tokens",))
    check(said(tmp_path, state), expected, prefix=5)


def test_registers_of_double_precision_are_as_the_rest(tmp_path: Path):
    state = timm() | {"register_tokens": registers().double()}
    expected = tokens(timm() | {"register_tokens": registers()}, front=CLS, after=AFTER)
    check(said(tmp_path, state), expected, prefix=5)


def test_dinov2s_training_has_its_blocks_in_chunks(tmp_path: Path):
    state = timm(scale="ls{}.gamma")
    chunks = {k.replace("blocks.1.", "blocks.1.1."): v for k, v in state.items()}
    chunks = {k.replace("blocks.0.", "blocks.0.0."): v for k, v in chunks.items()}
    teacher = below("backbone.", chunks) | {"dino_head.mlp.0.weight": torch.ones(3, 3)}
    expected = tokens(state, scale="ls{}.gamma", front=CLS)
    check(said(tmp_path, {"teacher": teacher}), expected)


def test_timms_registers_without_a_place_and_with_one(tmp_path: Path):
    state = timm(cls=False) | {"reg_token": registers()}
    state["cls_token"] = torch.randn(1, 1, WIDTH, generator=stream(4))
    x = patches(state, images()) + state["pos_embed"]
    front = [state[word].expand(5, -1, -1) for word in ("cls_token", "reg_token")]
    expected = norm(state, "norm", blocks(state, torch.cat([*front, x], 1)), 1e-6)
    check(said(tmp_path, state), expected, prefix=5)
    state["pos_embed"] = torch.randn(1, 5 + GRID**2, WIDTH, generator=stream(5))
    expected = tokens(state, front=("cls_token", "reg_token"))
    check(said(tmp_path, state), expected, prefix=5)
    del state["cls_token"]
    state["pos_embed"] = state["pos_embed"][:, 5:]
    x = patches(state, images()) + state["pos_embed"]
    x = torch.cat([state["reg_token"].expand(5, -1, -1), x], 1)
    expected = norm(state, "norm", blocks(state, x), 1e-6)
    check(said(tmp_path, state), expected, prefix=4, cls=False)


def test_timms_norm_after_pooling(tmp_path: Path):
    state = timm()
    x = torch.cat([state["cls_token"].expand(5, -1, -1), patches(state, images())], 1)
    x = blocks(state, x + state["pos_embed"])
    pooled = norm(state, "norm", x[:, 1:].mean(1), 1e-6)
    renamed = {
        k.replace("norm.", "fc_norm."): v for k, v in state.items() if k[0] == "n"
    }
    rest = {k: v for k, v in state.items() if k[0] != "n"}
    found = said(tmp_path, rest | renamed)
    assert (found["mean"] - pooled).abs().max() < CLOSE


def test_moco_v3_has_two_encoders_and_its_small_vit_twelve_heads(tmp_path: Path):
    base, momentum = timm(384), {k: v * 1.01 for k, v in timm(384).items()}
    head = {"head.0.weight": torch.ones(4, 384)}
    both = below("module.base_encoder.", base | head)
    both |= below("module.momentum_encoder.", momentum | head)
    both["module.predictor.0.weight"] = torch.ones(4, 4)
    found = {"arch": "vit_small", "state_dict": both, "epoch": 300}
    with pytest.raises(BadCheckpoint, match="say which"):
        said(tmp_path, found, heads=0)
    for name, state in (("base_encoder", base), ("momentum_encoder", momentum)):
        part = f":state_dict.module.{name}"
        check(said(tmp_path, found, part, heads=0), tokens(state, 12, front=CLS))


def test_i_jepas_encoders_have_no_class_token(tmp_path: Path):
    state = timm(cls=False)
    other = {key: value + 1 for key, value in state.items()}
    found = {"encoder": below("module.", other), "predictor": {"x": torch.ones(1)}}
    found["target_encoder"] = below("module.", state)
    expected = tokens(state)
    check(said(tmp_path, found, ":target_encoder"), expected, prefix=0, cls=False)


@pytest.mark.filterwarnings("ignore::Warning:lightning")
@pytest.mark.filterwarnings(r"ignore::Warning:lightning\..*")
@pytest.mark.parametrize(
    ("kind", "settings"),
    [(MAE, {}), (UMAE, {"num_heads": 2}), (MAE, {"pos_embed": False}), (BYOL, {})],
)
def test_our_own_checkpoints_of_lightning_say_all_of_themselves(
    tmp_path: Path, kind, settings
):
    method = kind.for_images(3, PATCH * GRID, patch_size=PATCH, steps=2, **settings)
    loader = DataLoader(TensorDataset(images()), batch_size=5)
    trainer = L.Trainer(
        max_steps=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(method, loader)
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    lines: list[str] = []
    part = ":state_dict.encoder" if kind is BYOL else ""
    found = Reader(load(f"{tmp_path / 'x.ckpt'}{part}", told=lines.append))(images())
    expected = method.eval().encode(images())
    assert not lines
    assert set(found) == set(expected)
    for token, values in expected.items():
        assert (found[token] - values).abs().max() < CLOSE
