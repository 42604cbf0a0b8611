"""Imports point one way: the contracts of .importlinter hold, and each of them breaks on a tree that breaks it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("bellwether", "bellwether_kit", "metrics_svc", "plan_svc", "profile_svc", "scoring_svc", "stakeholder_svc")
TOP = ("__init__", "main", "worker", "settings", "subscriptions", "tables")
FEATURE = ("__init__", "rules", "tables", "store", "api", "handlers")


def lint_imports(folder: Path, *path: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in a folder, which finds the packages on `path` before the installed ones."""
    command = "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_our_imports_point_one_way(root: Path) -> None:
    result = lint_imports(root)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def tree(tmp_path: Path, root: Path) -> Path:
    """Make empty packages of the names and shape of ours, with two features in each service."""
    shutil.copy(root / ".importlinter", tmp_path)
    for package in PACKAGES:
        for feature in ("health", "alerts"):
            (tmp_path / package / feature).mkdir(parents=True)
            for name in FEATURE:
                (tmp_path / package / feature / f"{name}.py").touch()
        for name in TOP:
            (tmp_path / package / f"{name}.py").touch()
    return tmp_path


def test_an_empty_tree_of_our_shape_keeps_every_contract(tree: Path) -> None:
    result = lint_imports(tree, tree)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("importer", "imported", "mend"),
    [
        ("metrics_svc.health.store", "scoring_svc.health.store", "Talk by events"),
        ("scoring_svc.main", "bellwether.main", "Talk by events"),
        ("bellwether_kit.main", "metrics_svc.settings", "let the service hand in"),
        ("scoring_svc.health.rules", "scoring_svc.health.tables", "pass what it needs as an argument"),
        ("scoring_svc.health.rules", "scoring_svc.settings", "pass what it needs as an argument"),
        ("scoring_svc.health.tables", "scoring_svc.health.store", "Imports point"),
        ("scoring_svc.health.store", "scoring_svc.alerts.handlers", "Imports point"),
        ("scoring_svc.health.handlers", "scoring_svc.alerts.handlers", "What two features need"),
        ("scoring_svc.health.api", "scoring_svc.alerts.api", "What two features need"),
        ("scoring_svc.health.api", "scoring_svc.subscriptions", "What two features need"),
        ("scoring_svc.subscriptions", "scoring_svc.worker", "the table of events and handlers"),
    ],
)
def test_an_import_that_points_the_wrong_way_is_told_its_mend(
    tree: Path, importer: str, imported: str, mend: str
) -> None:
    (tree / f"{importer.replace('.', '/')}.py").write_text(f"import {imported}\n")
    result = lint_imports(tree, tree)
    assert result.returncode == 1
    assert mend in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("scoring_svc.health.handlers", "scoring_svc.alerts.store"),
        ("scoring_svc.health.rules", "scoring_svc.alerts.rules"),
        ("scoring_svc.main", "scoring_svc.health.api"),
        ("scoring_svc.worker", "scoring_svc.subscriptions"),
        ("scoring_svc.health.store", "bellwether_kit.health.rules"),
    ],
)
def test_an_import_that_points_the_right_way_is_free(tree: Path, importer: str, imported: str) -> None:
    (tree / f"{importer.replace('.', '/')}.py").write_text(f"import {imported}\n")
    result = lint_imports(tree, tree)
    assert result.returncode == 0, result.stdout + result.stderr
