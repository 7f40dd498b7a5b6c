"""Kong et al. 2023: an MAE identifies the latents that its mask makes shared."""

from mae_bench.experiments.mask_ratio import MASK_RATIO
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.peak import Peak
from mae_bench.theories import Prediction, Theory

HIERARCHICAL_LATENTS = Theory(
    paper="Kong et al., CVPR 2023, arXiv 2306.04898",
    summary=(
        "An image is the leaf level of a hierarchy of latent variables. For each mask "
        "there is a unique minimal set c of latents that the visible and the masked "
        "part share (Theorem 1), and an encoder that reconstructs one from the other "
        "recovers c up to an invertible map (Theorem 2). Which latents are in c is "
        "decided by the mask: its ratio and the size of its unit. The authors read "
        "this as: extreme ratios, low or high, and small units give low-level "
        "representations; intermediate ratios and larger units, high-level ones."
    ),
    assumptions=(
        "no edge between observables; every mechanism is invertible (Assumption 1)",
        "encoder and decoder are invertible and of the true dimension (Assumption 2)",
        "the loss is minimised",
    ),
    predictions={
        "K5": Prediction(
            claim="the root is kept best at an intermediate mask ratio; both extremes, "
            "very low and very high, give lower-level representations",
            form=Peak(margin=0.02, factor="mask_ratio"),
            experiment=MASK_RATIO,
            metric=linear_r2,
            where={"method": "mae", "token": "mean", "target": "level_0"},
            control=Control(
                reason="with the ratios permuted within each seed no curve has a peak",
                shuffle="mask_ratio",
            ),
            standing="extrapolation",
            place="Sec. 2.3, takeaways; Table 1",
            refuted_by="a curve that is monotone in the ratio, or peaks at an extreme",
        ),
    },
)
