"""Parity with the released MAE, and with torch's own transformer layer."""

import math
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_bench.datasets import Batch, Dataset
from mae_bench.encoders.checkpoint import (
    BadCheckpoint,
    encoder_of,
    load_mae,
    mae_of,
    read,
    save_mae,
)
from mae_bench.methods.mae import MAE
from mae_bench.methods.u_mae import UMAE

WIDTH, DEPTH, CHANNELS, PATCH, GRID = 64, 2, 3, 4, 3
DECODER = {"width": 32, "depth": 2, "heads": 4}


class Noise(Dataset):
    version = 1
    channels = CHANNELS
    image_size = PATCH * GRID
    levels = ()
    num_classes = None

    def sample(self, n, generator):
        size = (n, self.channels, self.image_size, self.image_size)
        return Batch(torch.randn(size, generator=generator))


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sincos(width: int) -> Tensor:
    """Class token at zero, then each patch, number by number."""
    rows = [[0.0] * width]
    for row in range(GRID):
        for column in range(GRID):
            line = []
            for place in (column, row):
                omega = [10000 ** (-i / (width // 4)) for i in range(width // 4)]
                line += [math.sin(place * w) for w in omega]
                line += [math.cos(place * w) for w in omega]
            rows.append(line)
    return torch.tensor(rows)[None]


def official(decoder: bool = True, seed: int = 0) -> dict[str, Tensor]:
    """A state dict as facebookresearch/mae writes it, of random weights."""
    generator, state = stream(seed), {}

    def draw(name: str, *shape: int) -> None:
        state[name] = torch.randn(shape, generator=generator) / shape[-1] ** 0.5

    def linear(name: str, out: int, inside: int) -> None:
        draw(f"{name}.weight", out, inside)
        draw(f"{name}.bias", out)

    def stack(name: str, depth: int, width: int) -> None:
        for i in range(depth):
            for part, shape in {
                "norm1": (width,),
                "attn.qkv": (3 * width, width),
                "attn.proj": (width, width),
                "norm2": (width,),
                "mlp.fc1": (4 * width, width),
                "mlp.fc2": (width, 4 * width),
            }.items():
                draw(f"{name}.{i}.{part}.weight", *shape)
                draw(f"{name}.{i}.{part}.bias", shape[0])

    small = DECODER["width"]
    draw("cls_token", 1, 1, WIDTH)
    state["pos_embed"] = sincos(WIDTH)
    if decoder:
        draw("mask_token", 1, 1, small)
        state["decoder_pos_embed"] = sincos(small)
    draw("patch_embed.proj.weight", WIDTH, CHANNELS, PATCH, PATCH)
    draw("patch_embed.proj.bias", WIDTH)
    stack("blocks", DEPTH, WIDTH)
    draw("norm.weight", WIDTH)
    draw("norm.bias", WIDTH)
    if decoder:
        linear("decoder_embed", small, WIDTH)
        stack("decoder_blocks", DECODER["depth"], small)
        draw("decoder_norm.weight", small)
        draw("decoder_norm.bias", small)
        linear("decoder_pred", PATCH**2 * CHANNELS, small)
    return state


def mae(kind: type[MAE] = MAE, **settings) -> MAE:
    known = {
        "patch_size": PATCH,
        "embed_dim": WIDTH,
        "depth": DEPTH,
        "num_heads": 1,
        "decoder_embed_dim": DECODER["width"],
        "decoder_depth": DECODER["depth"],
        "decoder_num_heads": DECODER["heads"],
    }
    return kind(Noise(), stream(9), **known | settings)


def block(state, prefix: str, x: Tensor, heads: int, eps: float = 1e-6) -> Tensor:
    """A timm block, by plain operations."""
    n, count, width = x.shape

    def norm(name: str, h: Tensor) -> Tensor:
        mean, var = h.mean(-1, keepdim=True), h.var(-1, keepdim=True, correction=0)
        scaled = (h - mean) / (var + eps).sqrt()
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def linear(name: str, h: Tensor) -> Tensor:
        return h @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    h = linear(f"{prefix}.attn.qkv", norm(f"{prefix}.norm1", x))
    q, k, v = h.view(n, count, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-2, -1) / (width // heads) ** 0.5).softmax(-1)
    h = (weights @ v).transpose(1, 2).reshape(n, count, width)
    x = x + linear(f"{prefix}.attn.proj", h)
    h = F.gelu(linear(f"{prefix}.mlp.fc1", norm(f"{prefix}.norm2", x)))
    return x + linear(f"{prefix}.mlp.fc2", h)


def plain_encoder(state, images: Tensor, ids_keep=None, heads=1, eps=1e-6) -> Tensor:
    """He et al., as released: convolve, add places, keep some, class token, blocks."""
    kernel, bias = state["patch_embed.proj.weight"], state["patch_embed.proj.bias"]
    x = F.conv2d(images, kernel, bias, stride=PATCH).flatten(2).transpose(1, 2)
    x = x + state["pos_embed"][:, 1:]
    if ids_keep is not None:
        x = torch.stack([row[ids] for row, ids in zip(x, ids_keep, strict=True)])
    token = state["cls_token"] + state["pos_embed"][:, :1]
    x = torch.cat([token.expand(len(x), -1, -1), x], 1)
    for i in range(DEPTH):
        x = block(state, f"blocks.{i}", x, heads, eps)
    width = x.shape[-1]
    return F.layer_norm(x, (width,), state["norm.weight"], state["norm.bias"], eps)


def plain_loss(state, images: Tensor, masking, norm_pix_loss: bool) -> Tensor:
    """The released forward pass and loss, from the state dict alone."""
    x = plain_encoder(state, images, masking.ids_keep)
    x = F.linear(x, state["decoder_embed.weight"], state["decoder_embed.bias"])
    n, count = masking.ids_restore.shape
    hidden = state["mask_token"].expand(n, count + 1 - x.shape[1], -1)
    y = torch.cat([x[:, 1:], hidden], 1)
    y = torch.stack([row[ids] for row, ids in zip(y, masking.ids_restore, strict=True)])
    x = torch.cat([x[:, :1], y], 1) + state["decoder_pos_embed"]
    for i in range(DECODER["depth"]):
        x = block(state, f"decoder_blocks.{i}", x, DECODER["heads"])
    norm = state["decoder_norm.weight"], state["decoder_norm.bias"]
    x = F.layer_norm(x, x.shape[-1:], *norm, 1e-6)
    x = F.linear(x, state["decoder_pred.weight"], state["decoder_pred.bias"])[:, 1:]
    target = torch.empty(n, count, PATCH * PATCH * CHANNELS)
    for patch in range(count):
        top, left = PATCH * (patch // GRID), PATCH * (patch % GRID)
        square = images[:, :, top : top + PATCH, left : left + PATCH]
        target[:, patch] = square.permute(0, 2, 3, 1).flatten(1)
    if norm_pix_loss:
        mean, var = target.mean(-1, keepdim=True), target.var(-1, keepdim=True)
        target = (target - mean) / (var + 1e-6) ** 0.5
    loss = ((x - target) ** 2).mean(-1)
    return (loss * masking.mask).sum() / masking.mask.sum()


@pytest.mark.parametrize("norm_pix_loss", [False, True])
@pytest.mark.parametrize("mask_ratio", [0.75, 0.5])
def test_the_loss_is_that_of_the_released_code(norm_pix_loss, mask_ratio):
    method = mae(norm_pix_loss=norm_pix_loss, mask_ratio=mask_ratio)
    state, images = official(), Noise().sample(5, stream(1)).images
    load_mae(method, state)
    masking = method.masking(5, stream(2))
    prediction = method.forward_decoder(
        method.forward_encoder(images, masking), masking
    )
    ours = method.forward_loss(images, prediction, masking)
    theirs = plain_loss(state, images, masking, norm_pix_loss)
    assert abs(ours.item() - theirs.item()) < 1e-5


@pytest.mark.parametrize("kind", [MAE, UMAE])
def test_what_is_loaded_is_saved_bit_for_bit(kind):
    state, method = official(), mae(kind)
    load_mae(method, state)
    again = save_mae(method)
    assert list(again) == list(state)
    for key, value in state.items():
        assert again[key].dtype == value.dtype
        assert again[key].shape == value.shape
        assert again[key].is_contiguous()
        assert np.array_equal(
            again[key].numpy().view(np.uint8), value.numpy().view(np.uint8)
        ), key


def test_places_that_were_learned_are_kept_and_used():
    state, method = official(), mae()
    for key in ("pos_embed", "decoder_pos_embed"):
        state[key] = torch.randn(state[key].shape, generator=stream(4))
        state[key][:, 0] = 0
    load_mae(method, state)
    again = save_mae(method)
    assert all(torch.equal(again[key], state[key]) for key in state)
    images, masking = Noise().sample(4, stream(1)).images, method.masking(4, stream(2))
    tokens = method.forward_encoder(images, masking)
    loss = method.forward_loss(images, method.forward_decoder(tokens, masking), masking)
    theirs = plain_loss(state, images, masking, False)
    assert abs(loss.item() - theirs.item()) < 1e-5


def test_half_precision_makes_the_round_trip_in_a_method_of_that_precision():
    state = {key: value.half() for key, value in official().items()}
    method = mae().half()
    load_mae(method, state)
    again = save_mae(method)
    assert all(torch.equal(again[key], state[key]) for key in state)
    assert {value.dtype for value in again.values()} == {torch.float16}


def test_what_is_saved_belongs_to_nobody():
    method = mae()
    save_mae(method)["cls_token"].fill_(7)
    assert not (method.encoder.cls_token == 7).any()


def test_a_method_is_made_of_the_weights_alone():
    state = official()
    method = mae_of(state, Noise(), decoder_num_heads=4, norm_pix_loss=True)
    assert all(torch.equal(v, state[k]) for k, v in save_mae(method).items())
    assert method.norm_pix_loss
    assert mae_of(state, Noise()).decoder.blocks[0].attn.num_heads == 16


def to_hf(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights as Hugging Face writes them."""
    words = [
        ("decoder_blocks.", "decoder.decoder_layers."),
        ("blocks.", "vit.encoder.layer."),
        ("decoder_", "decoder.decoder_"),
        ("mask_token", "decoder.mask_token"),
        ("cls_token", "vit.embeddings.cls_token"),
        ("pos_embed", "vit.embeddings.position_embeddings"),
        ("patch_embed.proj", "vit.embeddings.patch_embeddings.projection"),
        ("norm.", "vit.layernorm."),
    ]
    inside = [
        (".norm1.", ".layernorm_before."),
        (".norm2.", ".layernorm_after."),
        (".attn.proj.", ".attention.output.dense."),
        (".mlp.fc1.", ".intermediate.dense."),
        (".mlp.fc2.", ".output.dense."),
    ]
    found = {}
    for key, value in state.items():
        old, new = next((o, n) for o, n in words if key.startswith(o))
        name = new + key[len(old) :]
        for old, new in inside:
            name = name.replace(old, new)
        if ".attn.qkv." in name:
            for word, part in zip(("query", "key", "value"), value.chunk(3)):  # noqa: B905 (three)
                found[name.replace("attn.qkv", f"attention.attention.{word}")] = part
        else:
            found[name] = value
    return found


def of_torch(state: dict[str, Tensor], i: int, heads: int, eps: float) -> nn.Module:
    """A block as torch has it, an implementation of others."""
    layer = nn.TransformerEncoderLayer(
        WIDTH,
        heads,
        4 * WIDTH,
        dropout=0.0,
        activation=F.gelu,
        layer_norm_eps=eps,
        batch_first=True,
        norm_first=True,
    )
    words = {
        "norm1": "norm1",
        "norm2": "norm2",
        "self_attn.in_proj_": "attn.qkv",
        "self_attn.out_proj": "attn.proj",
        "linear1": "mlp.fc1",
        "linear2": "mlp.fc2",
    }
    theirs = {
        f"{a}{'' if a.endswith('_') else '.'}{kind}": state[f"blocks.{i}.{b}.{kind}"]
        for a, b in words.items()
        for kind in ("weight", "bias")
    }
    layer.load_state_dict(theirs)
    return layer


@pytest.mark.parametrize(("to", "eps"), [(dict, 1e-6), (to_hf, 1e-12)])
@pytest.mark.parametrize("heads", [1, 4])
def test_an_encoder_computes_what_torchs_own_layers_do(to, eps, heads):
    state, images = official(decoder=False), Noise().sample(4, stream(1)).images
    state["pos_embed"] = torch.randn(state["pos_embed"].shape, generator=stream(4))
    # Small numbers, so that eps has a say.
    state["patch_embed.proj.weight"] *= 1e-4
    state["patch_embed.proj.bias"] *= 1e-4
    state["cls_token"] *= 1e-4
    state["pos_embed"] *= 1e-4
    vit = encoder_of(to(state), num_heads=heads).eval()
    kernel, bias = state["patch_embed.proj.weight"], state["patch_embed.proj.bias"]
    x = F.conv2d(images, kernel, bias, stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([state["cls_token"].expand(4, 1, -1), x], 1) + state["pos_embed"]
    with torch.no_grad():
        for i in range(DEPTH):
            x = of_torch(state, i, heads, eps)(x)
        x = F.layer_norm(x, (WIDTH,), state["norm.weight"], state["norm.bias"], eps)
        assert torch.allclose(vit(images), x, atol=1e-5)
        found = vit.readout(vit(images))
    assert torch.allclose(found["mean"], x[:, 1:].mean(1), atol=1e-5)
    assert torch.allclose(found["cls"], x[:, 0], atol=1e-5)


def test_hugging_faces_mae_is_the_same_mae_with_its_own_eps():
    state, method = official(), mae()
    load_mae(method, to_hf(state))
    assert all(torch.equal(v, state[k]) for k, v in save_mae(method).items())
    norms = [m for m in method.modules() if isinstance(m, nn.LayerNorm)]
    assert {norm.eps for norm in norms} == {1e-12}


def test_a_norm_after_pooling_is_taken_after_pooling():
    state, images = official(decoder=False), Noise().sample(4, stream(1)).images
    state["norm.weight"], state["norm.bias"] = torch.ones(WIDTH), torch.zeros(WIDTH)
    weight, bias = torch.randn(2, WIDTH, generator=stream(5)).unbind()
    pooled = {k: v for k, v in state.items() if not k.startswith("norm.")}
    pooled |= {"fc_norm.weight": weight, "fc_norm.bias": bias, "head.weight": bias}
    vit = encoder_of(pooled)
    with torch.no_grad():
        tokens = encoder_of(state)
        tokens.norm = nn.Identity()
        mean = tokens(images)[:, 1:].mean(1)
        expected = F.layer_norm(mean, (WIDTH,), weight, bias, 1e-6)
        found = vit.readout(vit(images))
    assert torch.allclose(found["mean"], expected, atol=1e-6)


@pytest.mark.parametrize("rows", ["with a row for it", "without a row for it"])
def test_an_encoder_may_lack_the_class_token_or_its_place(rows):
    state, images = official(decoder=False), Noise().sample(4, stream(1)).images
    state["pos_embed"] = torch.randn(1, GRID**2, WIDTH, generator=stream(4))
    patches_only = {k: v for k, v in state.items() if k != "cls_token"}
    if rows == "with a row for it":
        state["pos_embed"] = F.pad(state["pos_embed"], (0, 0, 1, 0))
        assert torch.equal(
            encoder_of(state).positions, encoder_of(patches_only).positions
        )
    tokens, without = encoder_of(state)(images), encoder_of(patches_only)(images)
    assert (tokens.shape[1], without.shape[1]) == (GRID**2 + 1, GRID**2)


def test_sizes_come_from_the_shapes_and_heads_from_the_width():
    vit = encoder_of(official())
    assert (vit.patch_size, vit.grid_size, vit.embed_dim) == (PATCH, GRID, WIDTH)
    assert len(vit.blocks) == DEPTH
    assert vit.patch_embed.in_features == PATCH**2 * CHANNELS
    assert vit.blocks[0].attn.num_heads == 1


@pytest.mark.parametrize(
    ("name", "width", "heads"),
    [("tiny", 192, 3), ("base", 768, 12), ("large", 1024, 16), ("huge", 1280, 16)],
)
def test_the_released_sizes_have_their_heads(name, width, heads):
    del name
    state = {k: v for k, v in official(decoder=False).items() if "blocks.1" not in k}
    grown = {
        key: torch.zeros(
            [width * (d // WIDTH) if d % WIDTH == 0 else d for d in v.shape]
        )
        for key, v in state.items()
    }
    assert encoder_of(grown).blocks[0].attn.num_heads == heads


def changed(**by: Tensor | None) -> dict[str, Tensor]:
    state = official() | {k.replace("__", "."): v for k, v in by.items()}
    return {k: v for k, v in state.items() if v is not None}


ZEROS = torch.zeros
ODD = ZEROS(1, 1 + 6, WIDTH)
OBLONG = ZEROS(WIDTH, CHANNELS, PATCH, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm__weight": None}, "norm.weight is missing; a mae has it"),
        ({"blocks__1__mlp__fc1__bias": None}, "blocks.1.mlp.fc1.bias is missing"),
        ({"pos_embed": None}, "pos_embed is missing"),
        ({"neck__weight": ZEROS(3)}, "neck.weight is unexpected; a mae of 2 blocks"),
        ({"pos_embed": ODD}, r"pos_embed has shape \[1, 7, 64\]; expected \[1, l, d\]"),
        ({"pos_embed": ODD[0]}, r"pos_embed has shape \[7, 64\]; expected"),
        ({"patch_embed__proj__weight": OBLONG}, "expected .* of square patches"),
        ({"norm__bias": ZEROS(5)}, r"norm.bias has shape \[5\]; expected \[64\]"),
        (
            {"cls_token": ZEROS(1, 1, 7)},
            r"cls_token has shape \[1, 1, 7\]; expected \[1, 1, 64\]",
        ),
        (
            {"blocks__1__mlp__fc2__weight": ZEROS(64, 9)},
            r"blocks.1.mlp.fc2.weight has shape \[64, 9\]; expected \[64, 256\]",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(changes, message):
    with pytest.raises(BadCheckpoint, match=message) as refused:
        encoder_of(changed(**changes))
    assert "\n" not in str(refused.value)


PLACED = sincos(WIDTH) + 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder_pred__bias": None}, "decoder_pred.bias is missing"),
        ({"pos_embed": PLACED}, "pos_embed gives the class token a place"),
        (
            {"decoder_pred__weight": ZEROS(9, 32)},
            r"decoder_pred.weight has shape \[9, 32\]; expected \[48, 32\]",
        ),
        (
            {"mask_token": ZEROS(1, 1, 8)},
            r"mask_token has shape \[1, 1, 8\]; expected \[1, 1, 32\]",
        ),
    ],
)
def test_a_method_refuses_what_is_not_its_own_and_stays_as_it_was(changes, message):
    method = mae()
    before = save_mae(method)
    with pytest.raises(BadCheckpoint, match=message):
        load_mae(method, changed(**changes))
    assert all(torch.equal(v, before[k]) for k, v in save_mae(method).items())


def test_other_depths_and_lost_decoders_are_told_from_the_method():
    with pytest.raises(BadCheckpoint, match=r"blocks\.2.norm1\.weight is missing"):
        load_mae(mae(depth=3), official())
    with pytest.raises(BadCheckpoint, match=r"blocks\.1.norm1\.weight is unexpected"):
        load_mae(mae(depth=1), official())
    with pytest.raises(BadCheckpoint, match="mask_token is missing; this MAE has it"):
        load_mae(mae(), official(decoder=False))
    with pytest.raises(BadCheckpoint, match="mask_token is missing; expected an MAE"):
        mae_of(official(decoder=False), Noise())


@pytest.mark.parametrize(
    "settings",
    [{"bottleneck": 4}, {"decoder_depth": 0}, {"pos_embed": False}],
)
def test_a_method_that_maes_layout_has_no_words_for_is_refused(settings):
    with pytest.raises(BadCheckpoint, match="this MAE is no MAE to the letter"):
        save_mae(mae(**settings))


def test_heads_that_cannot_be_and_other_images_are_refused():
    with pytest.raises(BadCheckpoint, match="num_heads 7 of width 64 cannot be"):
        encoder_of(official(), num_heads=7)
    grey = Noise()
    grey.channels = 1
    with pytest.raises(BadCheckpoint, match="for channels 3; the dataset has 1"):
        mae_of(official(), grey)


def test_a_checkpoint_of_the_official_script_is_read_whole(tmp_path: Path):
    state, path = official(), tmp_path / "checkpoint-799.pth"
    args = Namespace(model="mae_vit_base_patch16", output_dir=tmp_path)
    torch.save({"model": state, "epoch": 799, "optimizer": {}, "args": args}, path)
    method = mae()
    load_mae(method, read(path))
    assert all(torch.equal(v, state[k]) for k, v in save_mae(method).items())
