"""Kafka's jars: fetched by jgo from their Maven coordinates, kept in the user's cache, checked at every start.

What is checked is `kafka-jars.lock`, written by `python -m bellwether.engines.jar_lock`.
Nothing resolves versions at a user's machine.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from bellwether.engines.space import MIB, require_space, writing_to
from bellwether.errors import CorruptJar, MissingExtra, NoNetwork

KAFKA_VERSION = "4.3.0"
LOCK = Path(__file__).with_name("kafka-jars.lock")

Progress = Callable[[int, int], None]  # (bytes fetched, bytes in all)


@dataclass(frozen=True)
class Jar:
    """One line of the lock: a Maven artifact, its size in bytes and its SHA-256."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def file(self) -> str:
        """The file's name in the cache."""
        return f"{self.artifact}-{self.version}.jar"

    def is_whole(self, path: Path) -> bool:
        """Whether the file is there with exactly the recorded bytes."""
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def locked_jars(lock: Path = LOCK) -> list[Jar]:
    """The jars that this release of Bellwether was tested with."""
    jars = []
    for line in lock.read_text().splitlines():
        coordinate, size, sha256 = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars


def cache_folder() -> Path:
    """Where downloads are kept between projects: $XDG_CACHE_HOME/bellwether."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "bellwether"


def class_path(jars: list[Jar] | None = None, progress: Progress | None = None) -> str:
    """Kafka's class path; every jar on it has just been compared with its recorded checksum (about 0.1 s).

    Missing and damaged jars are fetched first. Raises NoNetwork, CorruptJar, DiskFull.
    """
    wanted = locked_jars() if jars is None else jars
    folder = cache_folder() / f"kafka-{KAFKA_VERSION}"
    missing = [jar for jar in wanted if not jar.is_whole(folder / jar.file)]
    if missing:
        _fetch(missing, folder, progress or (lambda _done, _total: None))
    return os.pathsep.join(str(folder / jar.file) for jar in wanted)


def _fetch(missing: list[Jar], folder: Path, progress: Progress) -> None:
    total = sum(jar.size for jar in missing)
    require_space(folder, total + 64 * MIB)
    with writing_to(folder), _incoming(folder) as incoming:
        download = _downloader(incoming)
        done = 0
        with ThreadPoolExecutor(8) as pool:
            for jar, path in zip(missing, pool.map(download, missing), strict=True):
                path.replace(folder / jar.file)
                done += jar.size
                progress(done, total)


@contextmanager
def _incoming(folder: Path) -> Iterator[Path]:
    """A place on the same disk, so that a whole jar appears in the cache or none."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(mkdtemp(prefix=".incoming-", dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _downloader(incoming: Path) -> Callable[[Jar], Path]:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415 - an extra; its import takes a second
        from requests import RequestException  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("Kafka's jars need jgo: install bellwether[local].") from error
    mirror = os.environ.get("BELLWETHER_MAVEN_URL")
    source = mirror or "Maven Central"
    context = MavenContext(repo_cache=incoming, remote_repos={"mirror": mirror} if mirror else None, timeout=30)

    def download(jar: Jar) -> Path:
        try:
            path = Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
        except (RequestException, RuntimeError) as error:
            raise NoNetwork(
                f"{jar.file} cannot be fetched from {source}: the first start needs the network "
                "(or BELLWETHER_MAVEN_URL naming a mirror)."
            ) from error
        if not jar.is_whole(path):
            raise CorruptJar(f"{jar.file} from {source} does not have the checksum recorded for it, so it is not used.")
        return path

    return download
