"""Cells as tasks of a Ray cluster: one that runs, or one that is started here.

A node that dies loses its tasks to the others; what they had kept in a store that all
nodes see is not done again.
"""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from mae_bench.records.schema import UsageError
from mae_bench.runs.engines import (
    LOOK,
    RETRIES,
    Engine,
    Outcomes,
    chains,
    in_turn,
    lost,
)
from mae_bench.runs.worker import Job, Outcome, Work, environment

# Seconds within which a cluster must answer.
PATIENCE = 5.0
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
# How one begins with a head, which speaks HTTP/2, and answers by a frame of that kind.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
# How often, and how long, Ray tries to reach a head.
_SOON = {"RAY_NUM_REDIS_GET_RETRIES": "2", "RAY_py_gcs_connect_timeout_s": "3"}
# Of what is started here: what Ray calls so keeps it on 127.0.0.1, and its workers are
# to be as urgent as ours, where Ray would have them wait for all else.
_OURS = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}


@contextmanager
def opened(address: str) -> Iterator[Engine]:
    """Ray, for as long as it is used.

    Args:
        address: HOST:PORT of a cluster's head, as ``ray start --head`` says it, of
            which this machine is a node; or empty: one is started here and ended.

    Raises:
        UsageError: Ray is not installed, or the address does not answer.
    """
    if find_spec("ray") is None:
        raise UsageError("--on ray needs Ray: pip install 'mae_bench[ray]'")
    if address:
        _reach(address)
        words = _QUIET | _SOON
    else:
        # Nobody else is to use what is started here.
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        words = _QUIET | _OURS | token
    with environment(words):
        ray = importlib.import_module("ray")
        try:
            _start(ray, address)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            first = " ".join(str(error).split()).partition(". ")[0]
            raise UsageError(
                f"no Ray at {address or 'this machine'}: {first}"
            ) from error
        try:
            yield _engine(ray)
        finally:
            ray.shutdown()


def _reach(address: str) -> None:
    """Refuse an address at which no head listens."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"--on ray://{address}: say ray://HOST:PORT")
    try:
        with socket.create_connection((host, int(port)), PATIENCE) as line:
            line.sendall(_HELLO)
            answer = line.recv(9)
    except (OSError, OverflowError) as error:
        raise UsageError(f"no Ray at {host}:{port}: {error}") from error
    if answer[3:4] != _HELLO[-6:-5]:
        raise UsageError(f"no Ray at {host}:{port}: what listens there is another")


def _start(ray: Any, address: str) -> None:
    here = {} if address else {"include_dashboard": False}
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    ray.init(address=address or "local", **quiet, **here)


def _engine(ray: Any) -> Engine:
    """A cluster that answers."""

    def devices(wanted: str, jobs: int | None) -> list[str]:
        there = ray.cluster_resources()
        cpus, gpus = int(there.get("CPU", 0)), int(there.get("GPU", 0))
        kind = {"auto": "cuda" if gpus else "cpu"}.get(wanted, wanted)
        if kind not in ("cpu", "cuda") or (kind == "cuda" and not gpus):
            raise UsageError(
                f"no device {wanted!r} on Ray; auto or cpu, or cuda for its {gpus} GPUs"
            )
        if jobs == 0:
            raise UsageError("with --on ray cells are tasks; choose --jobs 1 or more")
        return [kind if kind == "cpu" else "cuda:0"] * (jobs or gpus or cpus or 1)

    def launch(
        jobs: Sequence[Job], work: Work, devices: Sequence[str], until: float
    ) -> Outcomes:
        gpu = devices[0] != "cpu"
        task = ray.remote(_do).options(
            num_cpus=1, num_gpus=int(gpu), max_retries=RETRIES
        )
        waiting = chains(jobs)[::-1]
        busy: dict[Any, list[Job]] = {}
        try:
            while (waiting or busy) and time.monotonic() < until:
                while waiting and len(busy) < len(devices):
                    chain = waiting.pop()
                    busy[task.remote(chain, work, devices[0], os.getcwd())] = chain
                for ref in ray.wait([*busy], timeout=LOOK)[0]:
                    yield from _ended(ray, ref, busy.pop(ref))
        finally:
            for ref in busy:
                ray.cancel(ref, force=True)

    return Engine(devices, launch, travels=True)


def _do(jobs: list[Job], work: Work, device: str, folder: str) -> list[Outcome]:
    """Do jobs in turn (on a node)."""
    if os.path.isdir(folder):
        os.chdir(folder)  # paths that are relative are the driver's
    return [*in_turn(jobs, work, device)]


def _ended(ray: Any, ref: Any, chain: list[Job]) -> list[Outcome]:
    try:
        outcomes: list[Outcome] = ray.get(ref)
    except ray.exceptions.RayError as error:
        reason = " ".join(str(error).split())[:200]
        return lost(chain, f"{type(error).__name__} in {RETRIES + 1} tries: {reason}")
    return outcomes
