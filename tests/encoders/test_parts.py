"""One rule for all prefixes; holds C2 of what was found by using it."""

import pytest
import torch

from mae_bench.encoders.layouts import BadCheckpoint
from mae_bench.encoders.parts import encoder_in, tensors_in

KEY = "patch_embed.proj.weight"
HF = "embeddings.patch_embeddings.projection.weight"
W = torch.ones(1)
VIT = {KEY: W, "norm.weight": W + 1}


def below(prefix: str, state: dict) -> dict:
    return {f"{prefix}{key}": value for key, value in state.items()}


ALONE = {
    "bare": VIT,
    "with a record": {**VIT, "epoch": 3},
    "MAE": {"model": VIT, "optimizer": {"state": {0: {"exp_avg": W}}}, "epoch": 1},
    "DDP": {"state_dict": below("module.", VIT)},
    "compiled": {"state_dict": below("model._orig_mod.", VIT)},
    "compiled, block by block": {KEY: W, "norm._orig_mod.weight": W + 1},
    "FSDP": {"model": below("_fsdp_wrapped_module.", VIT)},
    "DINO's teacher": {"teacher": {**below("backbone.", VIT), "head.mlp.0.weight": W}},
    "moving average": {"model_ema": {"n_averaged": W, **below("module.", VIT)}},
    "timm's moving average": {"state_dict_ema": VIT},
    "Lightning": {"state_dict": {**below("encoder.", VIT), "projector.0.weight": W}},
    "Lightning, net": {"state_dict": {**below("net.", VIT), "projector.weight": W}},
    "lightly": {"state_dict": {**below("backbone.vit.", VIT), "decoder.mask": W}},
    "SimMIM": {"model": below("encoder.", VIT)},
    "model_state": {"model_state": below("student.", VIT)},
    "a class": {"state_dict": {**below("model.vit.", VIT), "model.fc.weight": W}},
}


@pytest.mark.parametrize("found", ALONE.values(), ids=ALONE)
def test_what_stands_before_the_encoder_is_taken_off(found):
    _, state = encoder_in(found, "x.pth")
    assert {k: v for k, v in state.items() if not k.startswith("decoder.")}.keys() >= (
        VIT.keys()
    )
    assert state[KEY] == 1
    assert state["norm.weight"] == 2
    assert not [key for key in state if "projector" in key or "head" in key]


SEVERAL = {
    "MoCo v3": (
        {
            "state_dict": below("module.base_encoder.", VIT)
            | below("module.momentum_encoder.", {KEY: W, "norm.weight": W + 2})
        },
        ["state_dict.module.base_encoder", "state_dict.module.momentum_encoder"],
    ),
    "DINO": (
        {"student": below("module.backbone.", VIT), "teacher": below("backbone.", VIT)},
        ["student.module.backbone", "teacher.backbone"],
    ),
    "I-JEPA": (
        {"encoder": VIT, "target_encoder": dict(VIT)},
        ["encoder", "target_encoder"],
    ),
    "at the root": ({**VIT, "ema": VIT}, [".", "ema"]),
}


@pytest.mark.parametrize(("found", "names"), SEVERAL.values(), ids=SEVERAL)
def test_of_several_encoders_none_is_chosen_and_each_can_be(found, names):
    with pytest.raises(BadCheckpoint, match=r"say which, as x\.pth:") as refused:
        encoder_in(found, "x.pth")
    assert f"x.pth: it holds 2 encoders: {', '.join(names)};" in str(refused.value)
    for name in names:
        assert set(encoder_in(found, "x.pth", name)[1]) >= set(VIT)


def test_a_part_is_named_by_its_beginning_or_in_full():
    found = SEVERAL["DINO"][0]
    assert encoder_in(found, "x", "teacher")[0] == "teacher.backbone."
    nested = {"model": VIT, "model.ema": VIT}
    assert encoder_in(nested, "x", "model")[0] == "model."
    with pytest.raises(BadCheckpoint, match="x holds no encoder pupil; it holds 2"):
        encoder_in(found, "x", "pupil")


def test_hugging_faces_decoder_stands_beside_the_encoder():
    for prefix in ("", "model."):
        state = {f"{prefix}vit.{HF}": W, f"{prefix}decoder.mask_token": W, "x.y": W}
        _, found = encoder_in({"state_dict": state}, "x")
        assert set(found) == {HF, "decoder.mask_token"}


def test_what_is_no_vit_is_refused_with_what_it_has_and_the_way_out():
    with pytest.raises(
        BadCheckpoint, match=r"keys are conv1.weight, fc.bias .*give mod"
    ):
        encoder_in({"conv1.weight": W, "fc.bias": W}, "x.pth")
    # A name that only ends alike is another.
    with pytest.raises(BadCheckpoint, match="no ViT that is known"):
        encoder_in({f"my_{KEY}": W}, "x.pth")
    with pytest.raises(BadCheckpoint, match="holds no weights by name"):
        encoder_in({"model": {"epoch": 3}}, "x.pth")


def test_dicts_are_read_once_and_not_to_the_bottom_of_the_sea():
    ends = VIT
    for _ in range(60):
        ends = {"a": ends, "b": ends}
    assert tensors_in(ends) == {}
    near = {"b": VIT, "a": {"c": VIT}}
    assert set(tensors_in(near)) == {f"b.{key}" for key in VIT}


def test_two_weights_of_one_name_are_refused():
    with pytest.raises(BadCheckpoint, match=f"two weights are called {KEY}"):
        encoder_in({KEY: W, f"_orig_mod.{KEY}": W}, "x.pth")
