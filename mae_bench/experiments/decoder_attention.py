"""Do masked patches need each other, and do visible ones need to know their place?"""

from mae_bench.datasets.gaussian_tree import GaussianTree
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
    datasets=(GaussianTree,),
    methods=(MAE,),
    factors={"mask_to_mask": (True, False), "pos_embed": (True, False)},
    without=({"mask_to_mask": False, "pos_embed": False},),
    # In a decoder of one block masked tokens hold nothing that others could read.
    settings={"decoder_depth": 2},
    metrics=(linear_r2, linear_probe, reconstruction_error),
    cost="15 cells, 10 beyond decoder_depth's: about 50 seconds on two cores",
)
