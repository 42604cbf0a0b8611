"""Names, sizes and prose of every Python file of ours, tests included."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

Verdict = Callable[[Iterable[object]], None]

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
UNFINISHED = re.compile(r"#.*\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

Guard = Callable[[Path, str], Iterator[str]]


def empty_names(path: Path, text: str) -> Iterator[str]:
    """Yield files, classes and functions named by a word that says nothing."""
    defined = [
        (node.lineno, node.name)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for line, name in [*((1, part) for part in path.with_suffix("").parts), *defined]:
        for word in sorted({word.lower() for word in WORDS.findall(name)} & EMPTY_NAMES):
            yield f"{path}:{line}: `{name}` says {word!r}, which says nothing: name it by what it does"


def long_files(path: Path, text: str) -> Iterator[str]:
    """Yield the file when it is too long."""
    length = len(text.splitlines())
    if length > LONGEST_FILE:
        yield f"{path}: {length} lines, at most {LONGEST_FILE}: split by rule or use case, never in a part two"


def long_functions(path: Path, text: str) -> Iterator[str]:
    """Yield functions that are too long; docstrings, decorators and migrations do not count."""
    if "migrations" in path.parts:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            signature = node.body[0].lineno - node.lineno
            length = (node.end_lineno or node.lineno) - first.lineno + 1 + signature
            if length > LONGEST_FUNCTION:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {LONGEST_FUNCTION}: split it"


def silent_modules(path: Path, text: str) -> Iterator[str]:
    """Yield modules that do not say what they are; an empty `__init__.py` may be silent."""
    if text.strip() and not ast.get_docstring(ast.parse(text)):
        yield f"{path}: has no docstring: open with one to three lines on what it is and what it is not"


def unfinished(path: Path, text: str) -> Iterator[str]:
    """Yield comments that put work off."""
    for number, line in enumerate(text.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield f"{path}:{number}: do it now, or file it as an issue; the code says only what is"


GUARDS: Mapping[str, tuple[Guard, str, str, str]] = {
    "a file": (empty_names, "metrics_svc/utils.py", '"""Nothing."""', "name it by what it does"),
    "a class": (empty_names, "a.py", "class QueueManager: ...", "name it by what it does"),
    "a function": (empty_names, "a.py", "def common_fields() -> None: ...", "name it by what it does"),
    "a long file": (long_files, "a.py", "x = 1\n" * 301, "split by rule or use case"),
    "a long function": (long_functions, "a.py", "def f():\n" + "    x = 1\n" * 41, "split it"),
    "a silent module": (silent_modules, "a.py", "x = 1\n", "open with one to three lines"),
    "put off": (unfinished, "a.py", "x = 1  # TO" + "DO later\n", "do it now"),
}


@pytest.mark.parametrize("guard", [empty_names, long_files, long_functions, silent_modules, unfinished])
def test_our_code_follows_the_house_rules(guard: Guard, python_files: Mapping[Path, str], nothing: Verdict) -> None:
    nothing(line for path, text in python_files.items() for line in guard(path, text))


@pytest.mark.parametrize("name", GUARDS)
def test_code_that_breaks_a_house_rule_is_told_its_mend(name: str) -> None:
    guard, path, text, mend = GUARDS[name]
    [line] = guard(Path(path), text)
    assert mend in line


def test_code_that_keeps_the_rules_is_free() -> None:
    text = '"""It is a database of bases."""\n\n\nclass Database:\n    """A commonplace."""\n'
    assert not [line for guard, *_ in GUARDS.values() for line in guard(Path("kit/database.py"), text)]
