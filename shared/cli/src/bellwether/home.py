"""Where things are: the clone this command works on, and the folder that holds the local stack's data."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bellwether
from bellwether.errors import NotACheckout

PACKAGE = Path(bellwether.__file__).resolve().parent


def repository_root(package: Path = PACKAGE) -> Path:
    """The clone that this package is installed from (editable); NotACheckout when it is somewhere else."""
    for folder in package.parents:
        if (folder / "services").is_dir() and (folder / "shared" / "contracts").is_dir():
            return folder
    raise NotACheckout(
        f"This command works on a clone of Bellwether, but it is installed in {package}: "
        "clone the repository and run `make setup` there."
    )


@dataclass(frozen=True)
class Home:
    """BELLWETHER_HOME: data, logs, keys and the record of the running stack; `.bellwether` of the clone if unset."""

    path: Path

    @classmethod
    def found(cls) -> "Home":
        """The home that the environment names, or the clone's."""
        named = os.environ.get("BELLWETHER_HOME")
        return cls(Path(named).expanduser().resolve() if named else repository_root() / ".bellwether")

    @property
    def record(self) -> Path:
        """What runs, where: written when a stack starts, removed when it has stopped."""
        return self.path / "stack.json"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """How each process is launched, and its pid."""
        return self.path / "run"

    @property
    def jwks(self) -> Path:
        """The public half of the key that signs local tokens."""
        return self.path / "jwks.json"

    @property
    def clock(self) -> Path:
        """The file of the replay clock."""
        return self.path / "clock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One start or stop at a time."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def secret(self, name: str) -> str:
        """A random text made once and readable by its owner only."""
        path = self.path / name
        if not path.exists():
            write_private(path, secrets.token_hex(32).encode())
        return path.read_text()


def write_private(path: Path, content: bytes) -> None:
    """Write a whole file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
