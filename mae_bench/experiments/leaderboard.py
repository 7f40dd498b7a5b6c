"""Where does each method stand, between the floor and the ceiling?"""

from mae_bench.datasets.digits import Digits
from mae_bench.datasets.gaussian_tree import GaussianTree
from mae_bench.experiments import Experiment
from mae_bench.methods.autoencoder import Autoencoder
from mae_bench.methods.barlow_twins import BarlowTwins
from mae_bench.methods.byol import BYOL
from mae_bench.methods.cross_mae import CrossMAE
from mae_bench.methods.data2vec import Data2Vec
from mae_bench.methods.denoising import Denoising
from mae_bench.methods.i_jepa import IJEPA
from mae_bench.methods.m_mae import MMAE
from mae_bench.methods.mae import MAE
from mae_bench.methods.mask_contrastive import MaskContrastive
from mae_bench.methods.moco_v3 import MoCoV3
from mae_bench.methods.oracle_latents import OracleLatents
from mae_bench.methods.pixels import Pixels
from mae_bench.methods.r2_mae import R2MAE
from mae_bench.methods.random_init import RandomInit
from mae_bench.methods.sim_mim import SimMIM
from mae_bench.methods.simclr import SimCLR
from mae_bench.methods.simsiam import SimSiam
from mae_bench.methods.spectral_contrastive import SpectralContrastive
from mae_bench.methods.supervised import Supervised
from mae_bench.methods.u_mae import UMAE
from mae_bench.methods.vicreg import VICReg
from mae_bench.metrics.alignment import alignment
from mae_bench.metrics.attention import attention
from mae_bench.metrics.block_r2 import block_r2
from mae_bench.metrics.ceiling_ratio import ceiling_ratio
from mae_bench.metrics.cka import cka
from mae_bench.metrics.effective_rank import effective_rank
from mae_bench.metrics.knn_probe import knn_probe
from mae_bench.metrics.layer_similarity import layer_similarity
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.metrics.mcc import mcc
from mae_bench.metrics.partial_r2 import partial_r2
from mae_bench.metrics.participation_ratio import participation_ratio
from mae_bench.metrics.reconstruction_error import reconstruction_error
from mae_bench.metrics.uniformity import uniformity
from mae_bench.records import registry

LEADERBOARD = Experiment(
    question="Where does each method stand, between the floor and the ceiling?",
    expected={
        "mask_graph_alignment": "u_mae above mae on probes; mae of low rank",
        "hierarchical_latents": "mae above random_init on the root",
        "locality_bias": "mae: near attention, diverse heads, layers alike",
        "attention_homogeneity": "simclr: far attention of like heads; mae: neither",
        "class_subspaces": "mae: attention as far in the first layer as in all",
        "occlusion_invariant_features": "mae below simclr on the probe of digits",
        "visible_share": "mae, u_mae: no difference that their intervals separate",
    },
    datasets=(GaussianTree, Digits, *registry.guests("datasets")),
    methods=(
        MAE,
        UMAE,
        MMAE,
        CrossMAE,
        R2MAE,
        SimMIM,
        Denoising,
        Autoencoder,
        IJEPA,
        Data2Vec,
        MaskContrastive,
        SimCLR,
        SpectralContrastive,
        MoCoV3,
        BYOL,
        SimSiam,
        VICReg,
        BarlowTwins,
        Supervised,
        RandomInit,
        Pixels,
        OracleLatents,
        *registry.guests("methods"),
    ),
    metrics=(
        linear_r2,
        block_r2,
        mcc,
        partial_r2,
        ceiling_ratio,
        linear_probe,
        knn_probe,
        effective_rank,
        participation_ratio,
        alignment,
        uniformity,
        cka,
        attention,
        layer_similarity,
        reconstruction_error,
        *registry.guests("metrics"),
    ),
    cost="220 cells, 190 of them trained: about 35 minutes on two cores",
)
