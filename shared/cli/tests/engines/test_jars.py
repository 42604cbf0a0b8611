"""Kafka's jars: what is used has the recorded checksum, and a failed fetch leaves nothing behind."""

import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bellwether.engines.jars import Jar, class_path, locked_jars
from bellwether.errors import CorruptJar, NoNetwork


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository over HTTP, and an empty cache."""
    root = tmp_path / "repository"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BELLWETHER_MAVEN_URL", f"http://127.0.0.1:{server.server_port}")
    yield root
    server.shutdown()
    server.server_close()
    thread.join()


def publish(repository: Path, artifact: str, content: bytes) -> Jar:
    folder = repository / "org" / "example" / artifact / "1.0"
    folder.mkdir(parents=True)
    (folder / f"{artifact}-1.0.jar").write_bytes(content)
    (folder / f"{artifact}-1.0.jar.sha1").write_text(hashlib.sha1(content).hexdigest())
    return Jar("org.example", artifact, "1.0", len(content), hashlib.sha256(content).hexdigest())


def cached(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_jars_are_fetched_once_and_progress_reaches_the_whole(repository: Path, tmp_path: Path) -> None:
    jars = [publish(repository, "one", b"first"), publish(repository, "two", b"second jar")]
    seen: list[tuple[int, int]] = []

    path = class_path(jars, lambda done, total: seen.append((done, total)))
    again: list[tuple[int, int]] = []
    class_path(jars, lambda done, total: again.append((done, total)))

    assert seen == [(5, 15), (15, 15)]
    assert again == []
    assert [Path(jar).read_bytes() for jar in path.split(":")] == [b"first", b"second jar"]
    assert sorted(map(Path, path.split(":"))) == sorted(cached(tmp_path))


def test_a_damaged_jar_in_the_cache_is_fetched_anew(repository: Path) -> None:
    jar = publish(repository, "one", b"first")
    path = Path(class_path([jar]))
    path.write_bytes(b"f1rst")

    class_path([jar])

    assert path.read_bytes() == b"first"


def test_a_jar_with_another_checksum_than_recorded_is_refused(repository: Path, tmp_path: Path) -> None:
    publish(repository, "one", b"something else")
    expected = Jar("org.example", "one", "1.0", 5, hashlib.sha256(b"first").hexdigest())

    with pytest.raises(CorruptJar, match=r"one-1\.0\.jar .* checksum"):
        class_path([expected])

    assert cached(tmp_path) == []


def test_without_a_network_the_first_start_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BELLWETHER_MAVEN_URL", "http://127.0.0.1:1")

    with pytest.raises(NoNetwork, match="the first start needs the network"):
        class_path([Jar("org.example", "one", "1.0", 5, "0" * 64)])

    assert cached(tmp_path) == []


def test_the_lock_holds_one_version_of_everything_and_the_clients_of_the_broker() -> None:
    jars = locked_jars()
    versions = {jar.artifact: jar.version for jar in jars}

    assert len(jars) == len(versions)
    assert versions["kafka-clients"] == versions["kafka_2.13"] == versions["kafka-tools"] == "4.3.0"
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)
