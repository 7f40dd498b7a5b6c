"""Huang et al. 2025: an MAE is a bottleneck of information, and not the best one."""

from mae_bench.theories import Theory

INFORMATION_BOTTLENECK = Theory(
    paper="Huang et al., ICLR 2025, arXiv 2502.19718 (MI-MAE)",
    summary=(
        "A good code tells much of what is asked and little else of its input. An MAE "
        "finds such a bottleneck, but a suboptimal one. MI-MAE encodes one image under "
        "several masks that share no patch. It maximises the information that their "
        "codes have on each other and minimises what each has on its input."
    ),
    assumptions=(
        "bounds of mutual information are as good as the information itself",
        "what codes of different masks share is what tasks need",
    ),
    predictions={},
    unmeasured={
        "I1": "no method maximises the information between the codes of several masks",
        "I2": "needs that method, fine-tuning, and four masks without its loss to "
        "compare with",
    },
)
