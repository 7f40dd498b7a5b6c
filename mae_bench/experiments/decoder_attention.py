"""Do masked patches need each other, and do visible ones need to know their place?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.datasets.ising import Ising
from mae_bench.experiments import Experiment
from mae_bench.methods.mae import MAE
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.reconstruction_error import reconstruction_error

DECODER_ATTENTION = Experiment(
    question="Does the decoder need attention among masked patches, and positions?",
    expected={
        "operator_kernel": "both hurt: the inter-patch topology is learned there",
        "local_contrast": "positions are what the decoder goes by; masks do not matter",
        "cross_attention_decoder": "flat in mask_to_mask; positions matter",
        "visible_share": "flat: what is visible does not change",
    },
    datasets=(GaussianTree, Ising),
    methods=(MAE,),
    factors={"mask_to_mask": (True, False), "pos_embed": (True, False)},
    without=(
        {"mask_to_mask": False, "pos_embed": False},
        # A control of the positions alone.
        {"dataset": "ising", "mask_to_mask": False},
    ),
    # In a decoder of one block masked tokens hold nothing that others could read.
    # Spins without coupling are a world without structure.
    settings={"decoder_depth": 2, "coupling": 0.0},
    metrics=(linear_r2, linear_probe, reconstruction_error),
    cost="25 cells, 15 beyond decoder_depth's: about 80 seconds on two cores",
)
