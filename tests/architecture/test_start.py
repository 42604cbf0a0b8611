"""Nothing happens at import: no environment is read, no application, engine or connection is made."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

# Runs in a fresh interpreter: whatever the import of a module reads or makes is counted from the start.
PROBE = """
import os, sys

class Watched(dict):
    def _seen(self, name):
        if isinstance(name, str) and name.startswith("BELLWETHER_"):
            sys.exit(f"{module} reads {name} at import: read it in Settings, when the process starts")
    def __getitem__(self, name): self._seen(name); return super().__getitem__(name)
    def get(self, name, default=None): self._seen(name); return super().get(name, default)
    def __contains__(self, name): self._seen(name); return super().__contains__(name)

import importlib, socket
import fastapi, pydantic_settings, sqlalchemy
os.environ = Watched(os.environ)

def refuse(owner, name):
    def made(*args, **kwargs):
        sys.exit(f"{module} makes {owner.__name__}.{name} at import: make it in create_app() or run()")
    setattr(owner, name, made)

refuse(fastapi.FastAPI, "__init__")
refuse(pydantic_settings.BaseSettings, "__init__")
refuse(socket.socket, "connect")
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def imported(modules: Sequence[str], *path: Path) -> str:
    """Import modules in one fresh interpreter; return what the first wrong one did, or an empty text."""
    code = f"import sys; sys.path[:0] = {[str(entry) for entry in path]!r}\n{PROBE}"
    result = subprocess.run([sys.executable, "-c", code, *modules], capture_output=True, text=True, check=False)
    return result.stderr.strip() if result.returncode else ""


def test_importing_a_process_does_nothing(services: Sequence[Path]) -> None:
    modules = [f"{path.name.replace('-', '_')}.{name}" for path in services for name in ("main", "worker")]
    assert not imported(modules)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("import os\nURL = os.environ.get('BELLWETHER_URL')", "read it in Settings"),
        ("import os\nURL = os.getenv('BELLWETHER_URL')", "read it in Settings"),
        ("from fastapi import FastAPI\napp = FastAPI()", "make it in create_app()"),
        ("from pydantic_settings import BaseSettings\nsettings = BaseSettings()", "make it in create_app()"),
    ],
)
def test_a_module_that_does_something_at_import_is_told_its_mend(tmp_path: Path, text: str, mend: str) -> None:
    (tmp_path / "eager_probe.py").write_text(text)
    assert mend in imported(["eager_probe"], tmp_path)


def test_a_module_that_only_defines_is_free(tmp_path: Path) -> None:
    (tmp_path / "calm_probe.py").write_text("from fastapi import FastAPI\ndef create_app(): return FastAPI()\n")
    assert not imported(["calm_probe"], tmp_path)
