"""What each image holds: lists of package names, reviewed like code; versions and hashes stay in requirements.lock.

`write` makes the lists anew from the installed packages (it needs the development environment); `select LIST` prints
the lines of the lock for one list, for `pip install --require-hashes` (it needs only the standard library).
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
LISTS = HERE / "requirements"
LOCK = next((path for path in (HERE / "requirements.lock", HERE.parent / "requirements.lock") if path.exists()), None)
# Image → the distributions that it is made of. The command line comes without its extra: no engine reaches an image.
ROOTS = {
    "build": ("hatchling",),
    "operations": ("bellwether",),
    "profile": ("profile-svc",),
    "stakeholder": ("stakeholder-svc",),
    "metrics": ("metrics-svc",),
    "scoring": ("scoring-svc",),
    "plan": ("plan-svc",),
}
_OURS = {"bellwether-kit", *(root for roots in ROOTS.values() for root in roots if root != "hatchling")}


def canonical(name: str) -> str:
    """Return a distribution's name as lists and lock spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(*roots: str) -> list[str]:
    """Return all that the distributions need on this platform, without what is ours, sorted."""
    from packaging.requirements import Requirement  # noqa: PLC0415 (only `write` has it)

    found: set[tuple[str, str]] = set()
    waiting = [(canonical(root), "") for root in roots]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(canonical(needed.name), wanted) for wanted in ("", *needed.extras)]
    return sorted({name for name, _ in found} - _OURS)


def write() -> None:
    """Write every list."""
    LISTS.mkdir(exist_ok=True)
    for image, roots in ROOTS.items():
        (LISTS / f"{image}.txt").write_text("\n".join(closure(*roots)) + "\n", encoding="utf-8")


def select(image: str, lock: str) -> Iterator[str]:
    """Yield the entries of the lock that one list names. Raises SystemExit when the lock misses one."""
    wanted = set((LISTS / f"{image}.txt").read_text(encoding="utf-8").split())
    for entry in re.split(r"\n(?=[^\s#])", lock.strip()):
        name = canonical(re.split(r"[\[=<>;\s]", entry, maxsplit=1)[0])
        if name in wanted:
            wanted.discard(name)
            yield entry
    if wanted:
        sys.exit(f"requirements.lock has no {', '.join(sorted(wanted))}: run `make lock`")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write()
    elif LOCK is not None:
        sys.stdout.write("\n".join(select(sys.argv[2], LOCK.read_text(encoding="utf-8"))) + "\n")
