from mae_bench.experiments.decoder_inversion import DECODER_INVERSION
from mae_bench.records.schema import TIERS
from mae_bench.training.train import build


def test_decoders_of_every_size_start_from_the_same_encoder() -> None:
    weights = []
    for cell, factors in DECODER_INVERSION.cells(TIERS["quick"], range(1)):
        _, method = build(cell, "cpu")
        assert len(method.decoder.blocks) == factors["decoder_depth"]
        assert method.decoder.mask_token.numel() == factors["decoder_embed_dim"]
        weights.append(method.encoder.patch_embed.weight)
    assert len(weights) == 2 * 3 * 2
    assert all(weight.equal(weights[0]) for weight in weights)


def test_each_trained_decoder_has_its_untrained_twin() -> None:
    points = [
        factors for _, factors in DECODER_INVERSION.cells(TIERS["smoke"], range(1))
    ]
    sizes = {
        stop: {
            (p["decoder_depth"], p["decoder_embed_dim"])
            for p in points
            if p["stop"] == stop
        }
        for stop in (0.0, 1.0)
    }
    assert sizes[0.0] == sizes[1.0]
