"""A room of parts is a mapping: ids to parts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from mae_bench.records import registry


class Room(ModuleType):
    """A package of parts that can be asked for them: ``room["u_mae"]``, ``list(room)``.

    A part is imported when it is asked for, guests from other packages too.
    """

    def keys(self) -> list[str]:
        """Ids of the parts, sorted."""
        return registry.names(self.__name__.rpartition(".")[2])

    def __getitem__(self, name: str) -> Any:
        """A part.

        Raises:
            UnknownName: There is none of that id; with the nearest ones.
        """
        return registry.load(self.__name__.rpartition(".")[2], name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()


def furnish(package: str) -> None:
    """Make a package, which is being imported, a room."""
    sys.modules[package].__class__ = Room
