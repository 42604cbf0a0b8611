"""Running a module as if a few of its lines were others: its text is changed when it is imported, on disk it stays.

An edit whose lines are no longer there is an error, at import and in `compiled`: it must not pass for a sabotage.
"""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from types import CodeType, ModuleType


@dataclass(frozen=True)
class Edit:
    """Lines of a module (`old`, found there exactly once) and what stands in their place."""

    module: str
    old: str
    new: str


class Stale(Exception):
    """The lines that an edit is about are not in its module, or not once."""


def edited(source: str, edits: Iterable[Edit]) -> str:
    """The text of a module with edits in it; raises `Stale`."""
    for edit in edits:
        if source.count(edit.old) != 1:
            raise Stale(f"{edit.module} has {source.count(edit.old)} times, and not once: {edit.old}")
        source = source.replace(edit.old, edit.new)
    return source


def compiled(edits: Sequence[Edit]) -> list[CodeType]:
    """The code of all modules that edits are about, as it would run; raises `Stale`, ImportError and SyntaxError."""
    loaders = {edit.module: _loader(edit.module, edits) for edit in edits}
    return [loader.get_code(module) for module, loader in loaders.items()]


class _Loader(SourceFileLoader):
    """Loads a module from its edited text, never from what Python compiled before."""

    def __init__(self, name: str, path: str, edits: Iterable[Edit]) -> None:
        super().__init__(name, path)
        self._edits = [edit for edit in edits if edit.module == name]

    def get_code(self, fullname: str) -> CodeType:
        """The code of the edited text."""
        source = self.get_source(fullname) or ""
        return compile(edited(source, self._edits), self.get_filename(fullname), "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Comes before Python's own finders, for edited modules only."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits
        self._modules = {edit.module for edit in edits}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module lies, with a loader that edits it."""
        if fullname not in self._modules:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target) if finder is not self else None
            if spec is not None and spec.origin is not None:
                spec.loader = _Loader(fullname, spec.origin, self._edits)
                return spec
        return None


def _loader(module: str, edits: Iterable[Edit]) -> _Loader:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    return _Loader(module, spec.origin, edits)


def put_in_force(edits: Sequence[Edit]) -> None:
    """Have this process import edited modules; raises RuntimeError where one of them is imported already."""
    early = sorted({edit.module for edit in edits} & sys.modules.keys())
    if early:
        raise RuntimeError(f"too late to edit {', '.join(early)}")
    sys.meta_path.insert(0, _Finder(edits))
