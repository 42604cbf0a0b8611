"""Becomes one process of the stack: `python launch.py FILE` reads how, notes its pid, changes user and executes.

Standard library only and no import of ours, because it runs before each process and must cost nothing.
"""

import json
import os
import pwd
import sys
from pathlib import Path


def main(file: Path) -> None:
    """Execute what the file says; returns only by an exception."""
    told = json.loads(file.read_text())
    file.with_suffix(".pid").write_text(str(os.getpid()))
    os.chdir(told["folder"])
    if told["user"]:
        entry = pwd.getpwnam(told["user"])
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    os.execvpe(told["command"][0], told["command"], os.environ | told["environment"])  # noqa: S606


if __name__ == "__main__":
    main(Path(sys.argv[1]))
