"""Calls of several steps, their losses watched, and what is done on the way."""

from unittest.mock import Mock

import lightning as L
import pytest
import torch

from mae_bench.training.watch import POINTS, Diverged, Watch, calls, curves, last_tenth


def test_no_step_of_a_call_uses_weights_that_were_rounded_for_another() -> None:
    line, wanted = torch.nn.Linear(2, 1, bias=False), []
    torch.nn.init.ones_(line.weight)
    optimizer = torch.optim.SGD(line.parameters(), lr=0.25)
    found = []
    for call in calls(range(5), 5):
        with torch.autocast("cpu", torch.bfloat16):
            for _ in call:
                wanted.append(line.weight.sum().item())
                found.append(line(torch.ones(1, 2)).sum())
                optimizer.zero_grad()
                found[-1].backward()
                optimizer.step()
    assert [loss.item() for loss in found] == wanted
    assert len(set(wanted)) == 5


@pytest.mark.parametrize("count", [1, 9, 10, 11, 25])
def test_every_step_is_given_once_and_a_call_ends_at_each_stop(count: int) -> None:
    stops = [4, 10, 17, 40]
    given = [list(call) for call in calls(range(count), count, stops)]
    assert [step for call in given for step in call] == list(range(count))
    ends = {call[-1] + 1 for call in given}
    assert ends.issuperset({stop for stop in stops if stop <= count})
    assert max(map(len, given)) <= 10
    assert all(given)


def watched(watch: Watch, losses: torch.Tensor, batch_idx: int) -> None:
    """As Lightning calls it."""
    trainer, module = Mock(spec=L.Trainer), Mock(spec=L.LightningModule)
    watch.on_train_batch_end(trainer, module, {"loss": losses}, None, batch_idx)


def test_a_watch_of_several_remembers_the_first_loss_of_each_and_goes_on() -> None:
    watch = Watch(10)
    watched(watch, torch.tensor([[1.0, 2.0, 3.0]]), 0)
    watched(watch, torch.tensor([[2.0, torch.nan, 4.0]]), 1)
    assert watch.check()[::2] == [2.0, 4.0]
    assert watch.lost == {1: "the loss was nan by step 2"}
    watched(watch, torch.tensor([[1.0, torch.inf, torch.inf]]), 2)
    watch.check()
    assert watch.lost[1] == "the loss was nan by step 2"
    assert watch.lost[2] == "the loss was inf by step 3"
    watched(watch, torch.full((1, 3), torch.nan), 3)
    with pytest.raises(Diverged, match="nan by step 4"):
        watch.check()


def test_what_is_passed_is_told_of_all_losses_so_far() -> None:
    told = []
    watch = Watch(6, {2: told.append, 5: told.append})
    for k in range(6):
        watched(watch, torch.tensor([float(k)]), k)
    assert [losses.tolist() for losses in told] == [
        [0.0, 1.0],
        [0.0, 1.0, 2.0, 3.0, 4.0],
    ]


def test_the_last_tenth_is_of_the_whole_run() -> None:
    losses = torch.arange(40.0)
    assert last_tenth(losses, 40) == [losses[-4:].mean()]
    assert last_tenth(losses[-10:], 40) == [losses[-4:].mean()]
    assert last_tenth(losses[:3], 3) == [2.0]
    assert last_tenth(torch.stack([losses, -losses], 1), 40) == [37.5, -37.5]


def test_a_curve_has_every_loss_once() -> None:
    losses = torch.arange(3.0 * POINTS)
    (curve,) = curves(losses)
    assert curve == losses.view(POINTS, 3).mean(1).tolist()
    assert curves(torch.tensor([[1.0, 2.0]])) == [[1.0], [2.0]]
