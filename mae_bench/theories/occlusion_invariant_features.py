"""Kong & Zhang 2023: masked modelling learns features that occlusion leaves alone."""

from mae_bench.experiments.leaderboard import LEADERBOARD
from mae_bench.experiments.training_time import TRAINING_TIME
from mae_bench.metrics.linear_probe import linear_probe
from mae_bench.metrics.occlusion_invariance import occlusion_invariance
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.predictions.equivalence import Equivalence
from mae_bench.predictions.trend import Trend
from mae_bench.theories import Prediction, Theory, acted_on


def _as_good(dataset: str) -> Prediction:
    """Contrast of masked views in place of their reconstruction."""

    def same(method: str) -> Equivalence:
        form = Contrast(0.02, treatment={"method": method}, baseline={"method": "mae"})
        return Equivalence(margin=0.02, form=form)

    return Prediction(
        claim="another measure of similarity, here the contrast of two masked views of "
        "an image, gives features as good: a linear probe within two points of MAE's",
        form=same("mask_contrastive"),
        margin_reason=acted_on("two points of accuracy"),
        experiment=LEADERBOARD,
        metric=linear_probe,
        where={
            "dataset": dataset,
            "method": ("mask_contrastive", "mae", "random_init"),
            "token": "mean",
        },
        control=Control(
            reason="an untrained encoder, which no measure has shaped, is worse",
            form=same("random_init"),
        ),
        standing="extrapolation",
        place="the measure of similarity matters little; fine-tuning, here a probe",
        refuted_by="a probe that is worse, or better, by more than the margin",
    )


OCCLUSION_INVARIANT_FEATURES = Theory(
    paper="Kong & Zhang, CVPR 2023, arXiv 2208.04164",
    summary=(
        "Relaxed a little, masked modelling is a Siamese method: it aligns features of "
        "complementary parts of one image. What tells such methods apart is the "
        "transformation, here occlusion, and the measure of similarity, here the "
        "decoder's squared error. The measure matters little, the occlusion much. So "
        "what is learned is invariant to occlusion, ever more in the course of "
        "training. It is a good initialisation, though it may be less semantic than "
        "what contrast learns."
    ),
    assumptions=(
        "the decoder approximately inverts the encoder, so that squared errors of "
        "pixels stand for distances of features",
    ),
    predictions={
        "O2": Prediction(
            claim="in training, features of an image and of its visible part become "
            "alike: their CKA rises from the initial weights on, by a twentieth on a "
            "line through the checkpoints",
            form=Trend(margin=0.05, factor="stop", monotone=False),
            margin_reason=acted_on("a twentieth of a CKA"),
            experiment=TRAINING_TIME,
            metric=occlusion_invariance,
            where={"dataset": "gaussian_tree", "target": "cka"},
            control=Control(
                reason="of independent spins the visible part says nothing of the "
                "rest: there is no invariance to learn",
                where={"dataset": "ising"},
            ),
            standing="extrapolation",
            place="CKA of masked and whole images; read from no training at all, for "
            "invariance that the initial weights have is not learned",
            refuted_by="a CKA that is flat in time, or falls",
            version=2,
            ceiling=1.0,
        ),
        "O1": _as_good("gaussian_tree"),
        "O1-digits": _as_good("digits"),
        "O3": Prediction(
            claim="the features are less semantic than contrastive ones: a linear "
            "probe of digits loses two points or more",
            form=Contrast(
                margin=0.02,
                treatment={"method": "mae"},
                baseline={"method": "simclr"},
                sign=-1,
            ),
            margin_reason=acted_on("two points of accuracy"),
            experiment=LEADERBOARD,
            metric=linear_probe,
            where={
                "dataset": "digits",
                "method": ("mae", "simclr", "supervised"),
                "token": "mean",
            },
            control=Control(
                reason="an encoder that was taught the classes is no less semantic",
                form=Contrast(
                    margin=0.02,
                    treatment={"method": "supervised"},
                    baseline={"method": "simclr"},
                    sign=-1,
                ),
            ),
            standing="extrapolation",
            place='abstract: "could be less semantic"; read as a linear probe of '
            "classes against SimCLR's",
            refuted_by="a probe as good as SimCLR's, or better",
        ),
    },
    unmeasured={
        "O4": "pretraining on one image takes a world of one, and fine-tuning after it",
    },
)
