"""Sobal et al. 2022: joint embedding learns what is slow, a distractor above all."""

from functools import partial

from mae_bench.experiments.static_distractors import STATIC_DISTRACTORS
from mae_bench.metrics.linear_r2 import linear_r2
from mae_bench.predictions import Control
from mae_bench.predictions.contrast import Contrast
from mae_bench.theories import Prediction, Theory

_SIGNAL, _DISTRACTOR = {"target": "level_0"}, {"target": "level_1"}
_JOINT = {"objective": "joint_embedding"}
_CODE = {"token": "code"}
_in_grid = partial(
    Prediction,
    experiment=STATIC_DISTRACTORS,
    metric=linear_r2,
    margin_reason="half of what is exact, where a code has all of one or the other",
    standing="derived",
)

SLOW_FEATURES = Theory(
    paper="Sobal, Jyothir, Jalagam, Carion, Cho & LeCun 2022, arXiv 2211.10831 (its "
    "abstract was read; the linear world and its closed forms are ours)",
    summary=(
        "Joint embedding keeps what two frames have in common. A background that "
        "changes from frame to frame is ignored, however loud. One that stands still "
        "is what the frames have most in common, and takes the place of all that "
        "moves, however faint it is. Encoders that explain pixels keep what is strong: "
        "a still distractor costs them the signal only where it outweighs it, and an "
        "autoencoder of single frames cannot tell still from flickering."
    ),
    assumptions=(
        "as many features as signals, and the optimum is reached",
        "frames are linear in signal and distractor, along axes of their own",
        "the signal moves: its correlation a frame on, 0.8, is below that of a faint "
        "distractor under the noise",
    ),
    predictions={
        "TV2": _in_grid(
            claim="joint embedding of frames learns a distractor that stands still, "
            "faint (s = 1/2) or loud (s = 2): R2 above a half",
            form=Contrast(0.5, treatment=_DISTRACTOR, baseline=0.0),
            where={**_JOINT, **_CODE, "still": True},
            control=Control(
                reason="a distractor that flickers is not common to two frames",
                where={"still": False},
            ),
            place="abstract: JEPAs fail where the distractor noise is fixed",
            refuted_by="a still distractor that is left out",
            each=("strength",),
        ),
        "TV2-signal": _in_grid(
            claim="even a faint distractor costs joint embedding the signal if it "
            "stands still: R2 falls by a half or more from flickering to still",
            form=Contrast(
                0.5,
                treatment={"still": False, **_SIGNAL},
                baseline={"still": True, **_SIGNAL},
            ),
            where={**_JOINT, **_CODE, "strength": 0.5},
            control=Control(
                reason="what explains pixels keeps the signal before it",
                where={"objective": "reconstruction"},
            ),
            place="abstract: JEPAs focus on slow features",
            refuted_by="a signal that is kept beside what stands still",
        ),
        "TV-D1": _in_grid(
            claim="before a loud distractor that flickers, joint embedding keeps the "
            "signal and an autoencoder loses it: a difference of a half or more",
            form=Contrast(
                0.5,
                treatment={**_JOINT, **_SIGNAL},
                baseline={"objective": "autoencoding", **_SIGNAL},
            ),
            where={**_CODE, "strength": 2.0, "still": False},
            control=Control(
                reason="before a faint one both keep it", where={"strength": 0.5}
            ),
            place="abstract: JEPAs do as well or better where noise changes each frame",
            refuted_by="an autoencoder that keeps the signal as well",
        ),
        "TV-D2": _in_grid(
            claim="to reconstruct a frame from the next keeps the signal before a loud "
            "distractor that flickers, where an autoencoder loses it: feature space is "
            "not what it takes",
            form=Contrast(
                0.5,
                treatment={"objective": "reconstruction", **_SIGNAL},
                baseline={"objective": "autoencoding", **_SIGNAL},
            ),
            where={**_CODE, "strength": 2.0, "still": False},
            control=Control(
                reason="of a loud one that stands still both learn the distractor",
                where={"still": True},
            ),
            place="ours: the eigenvectors of K C^-1 K, where K has no flicker",
            refuted_by="pixels of the next frame that ask for the flicker too",
        ),
    },
    unmeasured={
        "TV1": "that an autoencoder with a gate does as well as joint embedding "
        "(arXiv 2603.14131, of which the abstract does not say what the gate sees)",
    },
)
