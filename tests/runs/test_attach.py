"""What is attached goes along with every task, alone or of an ensemble."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mae_bench.runs.attach import attaching
from mae_bench.runs.plan import Task
from mae_bench.runs.worker import Job, Outcome
from mae_bench.training.attached import NOTHING, Attached
from tests.training.test_train import cell_of

LOOKS = Attached(("csv",))


def test_every_task_has_it() -> None:
    seen: list[Any] = []

    def launch(jobs: Any, *_: Any) -> Any:
        for job in jobs:
            seen.append(job.payload)
            yield Outcome(job.id, "ok", "", None)

    task = Task(cell_of("mae"), (), Path("store"), {})
    jobs = [Job("one", task, 1.0), Job("both", (task, task), 1.0)]
    ends = [*attaching(launch, LOOKS)(jobs, print, ["cpu"], 0.0)]
    assert [end.id for end in ends] == ["one", "both"]
    with_it = replace(task, attached=LOOKS)
    assert task.attached == NOTHING
    assert seen == [with_it, (with_it, with_it)]
