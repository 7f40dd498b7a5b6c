"""CIFAR and ImageNet by name, through Hugging Face ``datasets``; decoded once."""

from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mae_bench.datasets._pictures import Pictures, need
from mae_bench.datasets.image_folder import PictureSet, splits_of
from mae_bench.records.registry import nearest
from mae_bench.records.schema import UsageError


class Address(NamedTuple):
    """Where a set is: repository, its two labelled splits, and its columns."""

    repository: str
    splits: tuple[str, str]
    image: str
    label: str


SETS = {
    "cifar10": Address("uoft-cs/cifar10", ("train", "test"), "img", "label"),
    "cifar100": Address("uoft-cs/cifar100", ("train", "test"), "img", "fine_label"),
    "imagenet1k": Address(
        "ILSVRC/imagenet-1k", ("train", "validation"), "image", "label"
    ),
    "imagenet100": Address(
        "clane9/imagenet-100", ("train", "validation"), "image", "label"
    ),
}


class Hub(PictureSet):
    """A public set; its second split is ``test``, and a tenth of ``train`` is ``val``.

    Which tenth, the seed says. Decoded, it needs neither a network nor ``datasets``.
    """

    def __init__(
        self, generator: torch.Generator, *, name: str = "cifar10", **settings: Any
    ) -> None:
        """Decode the set unless that was done before.

        Args:
            generator: Draws the cut.
            name: ``cifar10``, ``cifar100``, ``imagenet1k`` or ``imagenet100``.
            settings: Of ``PictureSet``. The decoded images are kept in
                ``~/.cache/mae_bench`` if ``cache`` is empty.

        Raises:
            UsageError: An unknown name, a set that is not downloaded, or a cache that
                cannot be written.
        """
        super().__init__(**settings)
        if name not in SETS:
            raise UsageError(
                f"hub knows no {name!r}; did you mean {nearest(name, list(SETS))}?"
            )
        address = SETS[name]
        home = Path("~/.cache/mae_bench")
        self.open(repr(address), partial(cached, address), home, generator)


def cached(address: Address) -> Pictures:
    """The set, from what ``datasets`` has on this machine; nothing is downloaded.

    Raises:
        UsageError: It is not there; the message has the command that gets it.
    """
    datasets = need("datasets")
    online = datasets.config.HF_HUB_OFFLINE
    # A set may be 150 GB: getting it is the user's own decision, not a test's.
    datasets.config.HF_HUB_OFFLINE = True
    try:
        parts = datasets.load_dataset(address.repository, split=list(address.splits))
    except (OSError, ValueError) as error:
        get = f"from datasets import load_dataset; load_dataset('{address.repository}')"
        raise UsageError(
            f'{address.repository} is not on this machine; run python -c "{get}"'
        ) from error
    finally:
        datasets.config.HF_HUB_OFFLINE = online
    labels = list(chain.from_iterable(part[address.label] for part in parts))
    words = splits_of(address.splits)
    given = [
        word for word, part in zip(words, parts, strict=True) for _ in range(len(part))
    ]
    raw = (
        part.cast_column(address.image, datasets.Image(decode=False)) for part in parts
    )
    images = chain.from_iterable(part[address.image] for part in raw)
    return Pictures(labels, given, images)
