"""rules.py is pure: the standard library and other rules only; no clock, no chance, no outside world."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

Verdict = Callable[[Iterable[object]], None]

OUTSIDE = {
    "asyncio",
    "http",
    "io",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "time",
    "urllib",
}
PURE = {"urllib.parse"}
"""Of those packages what only reads texts."""
CLOCKS = {"now", "utcnow", "today"}
DECODERS = frozenset({"msgspec", "standardwebhooks", "tzlocal.windows_tz", "metrics_svc.adapters"})
"""What an adapter may know besides: how a foreign system writes and signs, and an adapter that reads a part of it."""


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, f"{node.module or '.'}{'.rules' if alias.name == 'rules' else ''}"


def impurities(path: Path, text: str, allowed: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield what makes a rules file depend on more than its arguments, and on more than what is ``allowed``."""
    tree = ast.parse(text)
    for line, name in imported(tree):
        top = name.partition(".")[0]
        if top in OUTSIDE and name not in PURE:
            yield f"{path}:{line}: imports {name}: rules take values; let the caller pass what it read"
        elif not (top in sys.stdlib_module_names or name.endswith(".rules") or name.startswith(tuple(allowed))):
            yield f"{path}:{line}: imports {name}: rules know the standard library and other rules.py only"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{path}:{node.lineno}: reads the clock: take `as_of` as an argument"


def test_every_rules_file_is_pure(product_files: Mapping[Path, str], nothing: Verdict) -> None:
    files = {path: text for path, text in product_files.items() if path.name == "rules.py"}
    nothing(line for path, text in files.items() for line in impurities(path, text))


def test_every_adapter_is_as_pure_as_rules(product_files: Mapping[Path, str], nothing: Verdict) -> None:
    files = {path: text for path, text in product_files.items() if path.parent.name == "adapters"}
    files = {path: text for path, text in files.items() if path.name != "__init__.py"}
    assert files
    nothing(line for path, text in files.items() for line in impurities(path, text, DECODERS))


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("import sqlmodel", "the standard library and other rules.py only"),
        ("from scoring_svc.health.tables import Health", "the standard library and other rules.py only"),
        ("import random", "let the caller pass"),
        ("from pathlib import Path", "let the caller pass"),
        ("from datetime import datetime\nnow = datetime.now()", "take `as_of`"),
        ("from datetime import date\nday = date.today()", "take `as_of`"),
    ],
)
def test_an_impure_rules_file_is_told_its_mend(text: str, mend: str) -> None:
    [line] = impurities(Path("rules.py"), text)
    assert mend in line


def test_the_standard_library_and_other_rules_are_free() -> None:
    text = "import math\nfrom urllib.parse import urlsplit\nfrom scoring_svc.health.rules import Band\n"
    text += "from scoring_svc.alerts import rules as alerts\n"
    assert not list(impurities(Path("rules.py"), text))
