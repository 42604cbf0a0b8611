"""No tracked file names a place of one machine or the address of a package index."""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

Verdict = Callable[[Iterable[object]], None]

MACHINE = re.compile(r"(?<![\w.$}~/-])/(?:home|Users|root|work|tmp)/\w|\b[A-Z]:\\\\?Users\\")
INDEX = re.compile(
    r"(?<![\w-])--(?:extra-)?index-url\b|(?<![\w-])--find-links\b|\bindex[-_]url\s*="
    r"|https?://[^\s\"'<>)]*/(?:simple|maven2|maven-central|npm|goproxy)\b"
    r"|https?://(?:[\w-]+\.)*(?:files\.pythonhosted|registry)\.",
    re.IGNORECASE,
)
LARGEST = 2_000_000


def tracked(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of every tracked text file but this one."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.is_file() and path != Path(__file__) and path.stat().st_size < LARGEST:
            content = path.read_bytes()
            if b"\0" not in content:
                yield Path(name), content.decode("utf-8", errors="replace")


def addresses(path: Path, text: str) -> Iterator[str]:
    """Yield lines that hold only on one machine or with one index."""
    for number, line in enumerate(text.splitlines(), start=1):
        if MACHINE.search(line):
            yield f"{path}:{number}: a path of one machine: make it relative, or take it from a setting"
        if INDEX.search(line):
            yield f"{path}:{number}: the address of an index: each user's own configuration says where packages are"


def test_no_tracked_file_names_a_machine_or_an_index(root: Path, nothing: Verdict) -> None:
    nothing(line for path, text in tracked(root) for line in addresses(path, text))


@pytest.mark.parametrize(
    "text",
    [
        "see /home/ana/notes",
        'ROOT = "/Users/ana/bellwether"',
        "cd /root/bellwether",
        r"C:\Users\ana",
        "pip install --index-url https://example.org/",
        "pip install --extra-index-url x",
        "index_url = 'x'",
        "https://mirror.example.org/repository/simple/",
        "https://repo.example.org/maven2",
    ],
)
def test_an_address_that_is_not_ours_is_found(text: str) -> None:
    assert len(list(addresses(Path("a"), text))) == 1


@pytest.mark.parametrize("text", ["GET /v1/work/7", "$HOME/x", "--no-emit-index-url", "tmpfs: /tmp", "a simple line"])
def test_ordinary_text_is_free(text: str) -> None:
    assert not list(addresses(Path("a"), text))
