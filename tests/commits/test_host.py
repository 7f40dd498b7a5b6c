"""What a machine is called: the same after an update, and nobody's own name."""

import platform

from mae_bench.commits import host


def test_a_machine_has_asvs_facts_as_words() -> None:
    found = host.this_machine()
    assert set(found) == {"machine", "os", "arch", "cpu", "num_cpu", "ram"}
    assert all(isinstance(fact, str) and fact for fact in found.values())
    assert found["machine"] == host.machine_name(found["cpu"])
    assert found["ram"].endswith("GB")


def test_neither_the_kernel_nor_the_hosts_name_is_told() -> None:
    told = " ".join(host.this_machine().values())
    assert platform.release() not in told
    assert platform.node() not in told


def test_names_are_fit_for_folders() -> None:
    assert host.machine_name("AMD EPYC 7R13 Processor") == "amd-epyc-7r13-processor"
    assert host.machine_name("../..") == "machine"
