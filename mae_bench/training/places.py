"""Where a cell is trained: the processors that a device's name stands for."""


def places(device: str) -> list[str]:
    """The processors that a device's name stands for.

    >>> places("cuda:0,2"), places("cuda:1"), places("cpu")
    (['cuda:0', 'cuda:2'], ['cuda:1'], ['cpu'])
    """
    kind, _, indices = device.partition(":")
    return [f"{kind}:{i}" for i in indices.split(",")] if indices else [kind]


def reading_place(device: str) -> str:
    """Where images are drawn and metrics computed: in float64, which mps lacks.

    >>> reading_place("cuda:0,2"), reading_place("mps")
    ('cuda:0', 'cpu')
    """
    return "cpu" if device == "mps" else places(device)[0]
