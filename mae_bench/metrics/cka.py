"""CKA: do two representations of the same images arrange them alike?"""

import math

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from mae_bench.metrics import metric
from mae_bench.metrics._stream import Kept, TooFew

CHUNK = 1024
# HSIC(K, K) below this share of (E |x|²)² is float32's rounding of a constant.
ROUNDING = 1e-24


def moments(
    first: Float[Tensor, "n d"], second: Float[Tensor, "n e"]
) -> Float64[Tensor, "m m"]:
    """Σ u uᵀ of u = (x, |x|², y, |y|², 1): all that unbiased CKA needs, m = d + e + 3.

    Sums of several batches are those of all their images.
    """
    x, y = (h.detach().double() for h in (first, second))
    columns = (x, x.square().sum(1), y, y.square().sum(1), x.new_ones(len(x)))
    u = torch.cat([c.view(len(x), -1) for c in columns], dim=1)
    return u.T @ u


def hsic(
    total: Float64[Tensor, "m m"], first: slice, second: slice
) -> Float64[Tensor, ""]:
    """Unbiased HSIC of two sets of features, with linear kernels K and L.

    With K̃, L̃ free of their diagonals, [tr K̃L̃ + 1ᵀK̃1 1ᵀL̃1 / ((n-1)(n-2))
    - 2 / (n-2) 1ᵀK̃L̃1] / (n (n-3)).

    Args:
        total: Of ``moments``.
        first: Columns of x; that of |x|² follows them.
        second: Columns of y; likewise.

    References:
        Song et al. 2012, Feature selection via dependence maximization, Eq. 4.
    """
    n, a, b = total[-1, -1], first.stop, second.stop
    x, y = total[-1, first], total[-1, second]
    cross = total[first, second]
    trace = cross.square().sum() - total[a, b]
    rows = x @ cross @ y - x @ total[first, b] - y @ total[second, a] + total[a, b]
    sums = (x @ x - total[-1, a]) * (y @ y - total[-1, b])
    value = trace + sums / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows
    return value / (n * (n - 3))


def debiased(
    first: Float[Tensor, "n d"], second: Float[Tensor, "n e"]
) -> Float64[Tensor, ""]:
    """CKA of all images; NaN if the features of one side are constant."""
    if len(first) < 4:
        raise TooFew(f"CKA of {len(first)} images; give it at least four")
    if not (first.isfinite().all() and second.isfinite().all()):
        raise ValueError("features hold NaN or infinity; the encoder has diverged")
    # HSIC does not see an offset, but its fourth powers drown in those of a large one.
    mean_x, mean_y = (h.detach().mean(0, dtype=torch.float64) for h in (first, second))
    total = mean_x.new_zeros(())
    for x, y in zip(*(torch.split(h, CHUNK) for h in (first, second)), strict=True):
        total = total + moments(x - mean_x, y - mean_y)
    n, end = total[-1, -1], first.shape[1]
    columns = slice(0, end), slice(end + 1, len(total) - 2)
    product = total.new_ones(())
    for h, mean in zip(columns, (mean_x, mean_y), strict=True):
        own, square = hsic(total, h, h), total[h.stop, -1] / n + mean.square().sum()
        constant = own <= ROUNDING * square.square()
        product = product * own.masked_fill(constant, math.nan)
    return hsic(total, *columns) / product.sqrt()


class CKA(Kept):
    """CKA of all pairs of an epoch, whose features it keeps.

    >>> cka = CKA()
    >>> x = torch.eye(2).repeat(2, 1)
    >>> cka.update(x, 3 * x.flip(1))
    >>> round(float(cka.compute()), 4)
    1.0
    """

    states = ("first", "second")

    def update(self, first: Float[Tensor, "n d"], second: Float[Tensor, "n e"]) -> None:
        """Add a batch of images under two masks."""
        self.keep(first, second)

    def variants(self) -> dict[str, Tensor]:
        """``{"": value}``."""
        return {"": debiased(*self.kept())}


@metric(
    reads="pairs",
    direction="none",
    unit="CKA",
    upper=1.0,
    chance=0.0,
    version=1,
    source="Kornblith et al. 2019, arXiv 1905.00414; debiased: 2010.15327, Eq. 3",
    stream=CKA,
)
def cka(first: Float[Tensor, "n d"], second: Float[Tensor, "n e"]) -> dict[str, Tensor]:
    """Debiased linear centred kernel alignment of the features of two random masks.

    HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)), each by its unbiased estimator. The usual,
    biased one tends to 1 for any two representations that are wider than there are
    images; this one stays around 0 if they are independent, and may fall below.

    Args:
        first: Features under one mask; n at least 4.
        second: Features of the same images under another, of any width.

    Returns:
        ``{"": value}``: 1 if one is a rotated, scaled, shifted copy of the other, 0 if
        they are independent; NaN if a representation is constant, to float32's
        resolution.

    Raises:
        ValueError: Fewer than four images; NaN or infinite features.
    """
    return {"": debiased(first, second)}
