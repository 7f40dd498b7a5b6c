"""Pan et al. 2023: reconstruction finds every feature of a class, supervision one."""

from mae_bench.theories import Theory

MULTI_VIEW_FEATURES = Theory(
    paper="Pan, Zhou & Yan, ICLR 2023, arXiv 2206.03826",
    summary=(
        "A class has several discriminative features. Most images show all of them, "
        "a share μ only one. A convolutional encoder that must reconstruct masked "
        "patches learns all features of all classes, each kernel at most one. After "
        "fine-tuning it hence errs on neither kind of image. Supervision from scratch "
        "stops at one feature of each class and fails on about half of the images "
        "that show the other."
    ),
    assumptions=(
        "features are orthogonal, sparse over patches, and stronger than the noise",
        "an encoder of two convolutional layers, a linear decoder, gradient descent",
        "over-parameterised kernels of small random initial weights",
    ),
    predictions={},
    unmeasured={
        "P1": "no world plants several features of a class, to hold kernels against",
        "P2": "no convolutional method has kernels that could hold one feature each",
        "P3": "needs fine-tuning, and images that show one feature of a class alone",
    },
)
