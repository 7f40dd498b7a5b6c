"""Liu et al. 2022: which masked predictions identify a hidden Markov model."""

from mae_bench.theories import Theory

PARAMETER_IDENTIFIABILITY = Theory(
    paper="Liu, Hsu, Ravikumar & Risteski, NeurIPS 2022, arXiv 2202.09305",
    summary=(
        "Data come from a hidden Markov model, and the predictor has the form of its "
        "posterior. The question is whether the best predictor reveals the model's "
        "parameters. For discrete observations, predicting one token from another does "
        "not, since a matrix has many factorisations. With three tokens in the task it "
        "does, since a tensor's decomposition is unique (Kruskal). For Gaussian "
        "observations predicting one token from another is enough."
    ),
    assumptions=(
        "the predictor's form is that of the true posterior",
        "transitions and emissions of full rank, the optimum is reached",
    ),
    predictions={},
    unmeasured={
        "PI1": "no world is a Markov chain of hidden states: that pairs of discrete "
        "tokens do not identify it",
        "PI2": "likewise: that tasks of three discrete tokens do",
        "PI3": "likewise: that pairs do if observations are Gaussian given the state",
    },
)
