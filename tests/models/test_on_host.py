"""A number for the host costs no wait, and is the generator's own on the CPU."""

import torch

from mae_bench.models.on_host import on_host
from tests.emulated import emulated


def test_on_the_cpu_it_is_the_generator_itself() -> None:
    noise = torch.Generator().manual_seed(3)
    before = noise.get_state()
    assert on_host(noise) is noise
    assert torch.equal(noise.get_state(), before)


def test_of_a_gpu_it_is_decided_by_seed_and_place_without_a_wait() -> None:
    def draws(seed: int) -> list[float]:
        noise = torch.Generator("cuda").manual_seed(seed)
        return [torch.rand((), generator=on_host(noise)).item() for _ in range(3)]

    with emulated() as syncs:
        one, two, other = (draws(seed) for seed in (0, 0, 1))
    assert one == two
    assert len({*one, *other}) == 6
    assert syncs == []
