"""Du et al. 2024: tokens as targets help if they join images of the same class."""

from mae_bench.theories import Theory

DISCRETE_TOKENS = Theory(
    paper="Du, Wang & Wang, ICLR 2024, arXiv 2407.09087 (ClusterMIM)",
    summary=(
        "Masked modelling links two visible parts if they share a masked target. "
        "Discrete tokens merge targets and so add links. Tokens that merge targets of "
        "one class lower the bound on the error of a linear classifier, tokens that "
        "mix classes raise it. The best tokens would be the class labels. The "
        "similarity of tokens and classes, TCAS, ranks tokenizers without training."
    ),
    assumptions=(
        "the bound of the mask graph ranks as the error does",
        "targets with one token are as good as one target",
    ),
    predictions={},
    unmeasured={
        "T1": "no method has tokens as targets, so there are no tokenizers to rank",
        "T2": "no method has tokens as targets; with class labels it is supervised",
    },
)
