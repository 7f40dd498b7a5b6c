"""Does a masked autoencoder look at small areas, where a contrastive method does not?

The theory's network is one softmax layer of one head. For MAE that is the decoder
over an encoder of no blocks (``depth`` 0): masked patches, which know their place
alone, look at visible ones. SimCLR has its one layer in the encoder (``depth`` 1).
Areas of 36 patches: 18 against 6, 24 against 4, 30 against 2; milder ones leave the
theory's range, where a local area has at most √36.
"""

from mae_bench.datasets.planted_areas import PlantedAreas
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.methods.simclr import SimCLR
from mae_bench.metrics.area_attention import area_attention

PLANTED_AREAS = Experiment(
    question="Which planted areas does attention find, the global or the local ones?",
    expected={
        "attention_diversity": "MAE its own area, of any size; SimCLR the global one",
        "visible_share": "the initial weights' attention, everywhere",
    },
    datasets=(PlantedAreas,),
    methods=(MAE, SimCLR),
    factors={"global_rows": (3, 4, 5), "depth": (0, 1), "stop": (0.0, 1.0)},
    # SimCLR has no attention without an encoder's block.
    without=({"global_rows": 4, "depth": 1}, {"method": "simclr", "depth": 0}),
    settings={
        "patch_size": 4,
        "num_heads": 1,
        "decoder_num_heads": 1,
        "mask_ratio": 0.5,
    },
    metrics=(area_attention,),
    drawn=((area_attention, "decoder/local"), (area_attention, "encoder/local")),
    cost="70 cells, 35 of them trained: about 3.5 minutes on two cores",
)
