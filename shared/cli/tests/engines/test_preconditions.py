"""What is asked before anything starts: Java, ports, room on the disk."""

import errno
import socket
from pathlib import Path

import pytest

from bellwether.engines.java import find_java
from bellwether.engines.ports import answers, free_ports, require_free
from bellwether.engines.space import MIB, require_space, writing_to
from bellwether.errors import DiskFull, JavaUnusable, PortTaken


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_java_of_the_wheel_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BELLWETHER_JAVA", raising=False)

    assert find_java().name == "java"


def test_a_java_that_is_not_there_is_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_JAVA", str(tmp_path / "java"))

    with pytest.raises(JavaUnusable, match="does not run: No such file"):
        find_java()


def test_a_java_that_fails_is_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_JAVA", str(script(tmp_path / "java", "exit 3")))

    with pytest.raises(JavaUnusable, match="exit status 3"):
        find_java()


def test_an_old_java_is_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = script(tmp_path / "java", """echo 'openjdk version "11.0.2" 2019-01-15' >&2""")
    monkeypatch.setenv("BELLWETHER_JAVA", str(java))

    with pytest.raises(JavaUnusable, match="too old"):
        find_java()


def test_a_taken_port_is_named_with_its_owner_and_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert answers(port)
        with pytest.raises(PortTaken, match=f"Port {port} for kafka .* BELLWETHER_KAFKA_PORT"):
            require_free([("kafka", port, "BELLWETHER_KAFKA_PORT")])


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(20)

    assert len(set(ports)) == 20
    require_free(("x", port, "X") for port in ports)


def test_a_full_disk_is_seen_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="needs 512 MiB and 3 MiB are free"):
        require_space(tmp_path / "not" / "yet", 512 * MIB, free=lambda _path: 3 * MIB)


def test_room_is_asked_of_the_disk_that_a_new_folder_will_be_on(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "yet", 1)


def test_a_disk_that_fills_up_in_the_middle_is_said_to_be_full(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="filled up"), writing_to(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
