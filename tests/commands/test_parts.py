import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from mae_bench.records import registry

Call = Callable[..., Result]


def test_list_gives_every_part_of_every_room_with_its_sentence(call: Call) -> None:
    text = call("list").stdout
    flat = " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    found = json.loads(call("list", "--json").stdout)
    assert list(found) == list(registry.ROOMS)
    for room, parts in found.items():
        assert list(parts) == registry.names(room)
        assert all(parts.values())
        assert all(sentence in flat for sentence in parts.values())
    assert list(json.loads(call("list", "methods", "--json").stdout)) == ["methods"]


def test_list_of_an_unknown_room_names_the_rooms(call: Call) -> None:
    result = call("list", "kitchens")
    assert result.exit_code == 2
    assert "methods" in result.stderr


@pytest.mark.parametrize("room", registry.ROOMS)
def test_info_tells_of_a_part_in_words_and_for_machines(call: Call, room: str) -> None:
    name = f"{room}/{registry.names(room)[0]}"
    text, data = call("info", name), call("info", name, "--json")
    assert (text.exit_code, data.exit_code) == (0, 0)
    assert text.stdout.splitlines()[0] == name

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(data.stdout, parse_constant=refuse)
    assert f"{found['room']}/{found['id']}" == name
    assert found["text"]


def test_info_of_an_unknown_part_names_near_ones(call: Call) -> None:
    result = call("info", "u_mea")
    assert result.exit_code == 2
    assert "u_mae" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_doctor_finds_this_machine_fit(call: Call) -> None:
    assert call("doctor").exit_code == 0
    checks = json.loads(call("doctor", "--json").stdout)
    assert {"torch", "store", "cells"} <= {check["name"] for check in checks}
    assert all(check["ok"] for check in checks)


def test_the_doctor_finds_a_store_that_cannot_be_written(call: Call) -> None:
    Path("file").write_text("")
    result = call("doctor", "--store", "file/store")
    assert result.exit_code == 1
    assert "BAD  store: cannot write file/store" in result.stdout
