"""A GPU that is not there: it computes on the CPU, and refuses what a GPU would.

Its tensors say that they are on ``cuda:0``. An operation on tensors of two devices, or
with a generator of another device, raises with the operation's name; whatever makes
the host wait for the device, or copies from pageable memory, is kept in a list.
Beneath Python torch takes them for tensors of the CPU, so that no driver is asked.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

import mae_bench

HOUSE = Path(mae_bench.__file__).parent
CUDA = torch.device("cuda:0")
# What waits for the device, or looks at a number that it computed.
WAITS = {
    *("_local_scalar_dense", "item", "is_nonzero", "equal", "allclose"),
    *("nonzero", "masked_select", "bincount", "_linalg_check_errors"),
    *("_unique2", "unique_dim", "unique_consecutive", "linalg_lstsq", "histc"),
}
# Indices on the host are copied to a tensor on the device, and not the other way.
INDEXED = {"index", "index_put", "index_put_", "_unsafe_index", "_index_put_impl_"}
_PRODUCTS = (torch.matmul, Tensor.matmul, Tensor.__matmul__)
Plain = torch.Generator


class MixedDevices(RuntimeError):
    """An operation on tensors, or with a generator, of different devices."""


class Away(Tensor):
    """A tensor that says it is on a GPU; ``here`` is what it holds."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> "Away":
        made = Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device="cpu",
        )
        made.here = here
        return made

    def __init__(self, here: Tensor) -> None:
        """As made."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where it says that it is."""
        return CUDA

    def __repr__(self, **_: Any) -> str:
        """What it holds, for a test that fails."""
        return f"Away({self.here})"

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Outside of the emulation it computes likewise, and nothing is logged."""
        return _Device().__torch_dispatch__(func, types, args, kwargs)


class Stream(Plain):
    """A generator that says where it is."""

    def __new__(cls, device: Any = "cpu") -> "Stream":
        made = super().__new__(cls, "cpu")
        made.place = (
            CUDA if torch.device(device).type == "cuda" else torch.device("cpu")
        )
        return made

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return self.place


def here(value: Any) -> Any:
    """A nest of tensors with those on the GPU as the host would see them."""
    return tree_map(lambda t: t.here if isinstance(t, Away) else t, value)


def _where() -> str:
    """The innermost line of the house that is running."""
    frame = sys._getframe()
    while frame:
        path = Path(frame.f_code.co_filename)
        if HOUSE in path.parents and frame.f_code.co_name != "wrapped_fn":
            return f"{path.relative_to(HOUSE)}::{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "elsewhere"


def _is_cuda(place: Any) -> bool:
    return place is not None and torch.device(place).type == "cuda"


class _Calls(TorchFunctionMode):
    """Knows where each call shall compute, and moves tensors between the two places."""

    def __init__(self, device: "_Device") -> None:
        super().__init__()
        self.machine = device

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in (Tensor.to, Tensor.cpu, Tensor.cuda):
            return self._move(func, args, kwargs)
        if func in _PRODUCTS and (args[0].ndim, args[1].ndim) == (1, 2):
            # It would be reshaped in place, which a wrapper's fixed shape does not see.
            func, args = torch.mv, (args[1].mT, args[0])
        if func is Tensor.tolist and isinstance(args[0], Away):
            return self._fetch(args[0]).tolist()
        away = any(isinstance(t, Away) for t in tree_leaves((args, kwargs)))
        asked = kwargs.get("device")
        place = _is_cuda(asked) if asked is not None else away
        generator = kwargs.get("generator")
        if generator is not None and _is_cuda(generator.device) != place:
            raise MixedDevices(
                f"{getattr(func, '__name__', func)} on {'cuda' if place else 'cpu'} "
                f"with a generator on {generator.device}, in {_where()}"
            )
        if asked is not None:
            kwargs["device"] = torch.device("cpu")
        if func in (torch.tensor, torch.as_tensor, Tensor.new_tensor) and place:
            self.machine.syncs.append(("_to_copy", _where()))
            made = func(*here(args), **kwargs)
            return made if isinstance(made, Away) else Away(made)
        before, self.machine.place = self.machine.place, place
        try:
            return func(*args, **kwargs)
        finally:
            self.machine.place = before

    def _fetch(self, tensor: Away) -> Tensor:
        self.machine.syncs.append(("_to_copy", _where()))
        return tensor.here.clone()

    def _move(self, func: Any, args: Any, kwargs: Any) -> Any:
        tensor, *rest = args
        asked: Any = {Tensor.cpu: "cpu", Tensor.cuda: CUDA}.get(func)
        kept = []
        for value in [*rest, *kwargs.values()]:
            if isinstance(value, Tensor):
                asked, value = value.device, value.dtype
            if isinstance(value, str | torch.device):
                asked = value
            elif isinstance(value, torch.dtype):
                kept = [value]
        to_gpu = isinstance(tensor, Away) if asked is None else _is_cuda(asked)
        if to_gpu == isinstance(tensor, Away):
            return tensor.to(*kept) if kept else tensor
        if to_gpu:
            self.machine.syncs.append(("_to_copy", _where()))
            found = Away(tensor.detach().clone())
        else:
            found = self._fetch(tensor)
        return found.to(*kept) if kept else found


class _Device(TorchDispatchMode):
    """Computes on the CPU; checks where everything is."""

    def __init__(self) -> None:
        super().__init__()
        self.syncs: list[tuple[str, str]] = []
        self.place = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        word = func.overloadpacket.__name__
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        away = [t for t in given if isinstance(t, Away)]
        if away and len(away) < len(given):
            self._refuse_mixed(word, func, args, given)
        if away and self._waits(word, args, kwargs, len(away) < len(given)):
            self.syncs.append((word, _where()))
        to_gpu = bool(away) if given else self.place
        if word == "copy_":
            to_gpu = isinstance(args[0], Away)
        found = func(*here(args), **here(kwargs))
        known = {id(t.here): t for t in away}

        def put(value: Any) -> Any:
            if not to_gpu or not isinstance(value, Tensor) or isinstance(value, Away):
                return value
            return known[id(value)] if id(value) in known else Away(value)

        return tree_map(put, found)

    def _refuse_mixed(self, word: str, func: Any, args: Any, given: list[Any]) -> None:
        if word == "copy_" or (word in INDEXED and isinstance(args[0], Away)):
            return
        # A number without shape is handed to a kernel by value, but for a list of them.
        apart = [t for t in given if not isinstance(t, Away)]
        if word in ("cat", "stack") or any(t.ndim for t in apart):
            raise MixedDevices(f"{func} on cuda:0 and cpu, in {_where()}")

    def _waits(self, word: str, args: Any, kwargs: Any, mixed: bool) -> bool:
        if word in INDEXED:
            indices = [t for t in args[1] if t is not None]
            fills = word not in ("index", "_unsafe_index") and args[2].numel() == 1
            masks = any(t.dtype == torch.bool for t in indices) and not fills
            return masks or not all(isinstance(t, Away) for t in indices)
        if word == "repeat_interleave":
            return kwargs.get("output_size") is None
        return word in WAITS or (word == "copy_" and mixed)


@contextmanager
def emulated() -> Iterator[list[tuple[str, str]]]:
    """A machine with a GPU; gives the list of what made the host wait, and where."""
    device, new = _Device(), torch.__future__
    before = new.get_overwrite_module_params_on_conversion()
    with (
        mock.patch.object(torch, "Generator", Stream),
        mock.patch.object(torch.cuda, "current_device", return_value=0),
        warnings.catch_warnings(),
    ):
        # The build has no GPU, and autocast says so.
        warnings.filterwarnings("ignore", "User provided device_type of 'cuda'")
        # A module's weights on the CPU cannot become what says that it is elsewhere.
        new.set_overwrite_module_params_on_conversion(True)
        try:
            with _Calls(device), device:
                yield device.syncs
        finally:
            new.set_overwrite_module_params_on_conversion(before)
