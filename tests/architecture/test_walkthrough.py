"""The walkthrough speaks of files and functions that are there. Whether it tells the story well is for readers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.[a-z]+")
FUNCTION = re.compile(r"(?:\w+\.)*(\w+)\(\)")


def untrue(root: Path, text: str) -> Iterator[str]:
    """Yield what the text names and the tree does not have.

    In backticks, `a/b.py` is a file, seen from the root. `name()` is a function or class of the file named last before
    it in its paragraph; where its paragraph names none before it, of any file that the text has named until then.
    """
    named: list[str] = []
    for paragraph in re.split(r"\n\s*\n", FENCED.sub("", text)):
        beside = named[:]
        for name in NAMED.findall(paragraph):
            function = FUNCTION.fullmatch(name)
            if FILE.fullmatch(name):
                named, beside = [*named, name], [name]
                if not (root / name).is_file():
                    yield f"`{name}` is not there: name the file as it is now, from the root of the project"
            elif function and not any(function[1] in definitions(root / file) for file in beside):
                where = beside[0] if len(beside) == 1 else "any file named before"
                yield f"`{name}` is not defined in {where}: name its file right before it"


def definitions(file: Path) -> Iterator[str]:
    """Yield the name of every function and class of a Python file."""
    if file.suffix == ".py" and file.is_file():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name


def test_the_walkthrough_names_files_and_functions_that_exist(root: Path) -> None:
    text = (root / "docs" / "walkthrough.md").read_text()

    assert list(untrue(root, text)) == []
    assert any(FUNCTION.fullmatch(name) for name in NAMED.findall(text))


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("It begins in `service/gone.py`.", "name the file as it is now"),
        ("In `service/rules.py`, `judged()` decides.", "not defined in service/rules.py: name its file"),
        ("In `service/rules.py` and `service/store.py`, `judge()` decides.", "not defined in service/store.py"),
        ("`judge()` decides.\n\nIt is in `service/rules.py`.", "not defined in any file named before"),
    ],
)
def test_a_walkthrough_that_is_no_longer_true_is_told_its_mend(text: str, mend: str, tmp_path: Path) -> None:
    assert mend in "".join(untrue(written(tmp_path), text))


def test_a_true_walkthrough_is_free(tmp_path: Path) -> None:
    text = "In `service/rules.py`, `judge()` and `Book.at()` decide.\n\n```sh\n`gone/a.py`\n```\n\nSo `judge()`."

    assert not list(untrue(written(tmp_path), text))


def written(root: Path) -> Path:
    """A tree with two files."""
    (root / "service").mkdir()
    (root / "service" / "rules.py").write_text("class Book:\n    def at(self): ...\n\nasync def judge(): ...\n")
    (root / "service" / "store.py").write_text("def keep(): ...\n")
    return root
