"""Where the command finds its clone and its home."""

from pathlib import Path

import pytest

from bellwether.errors import NotACheckout
from bellwether.home import Home, repository_root


def test_the_clone_is_found_from_the_package() -> None:
    assert (repository_root() / "shared" / "cli").is_dir()


def test_an_installation_apart_from_a_clone_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotACheckout, match="clone the repository"):
        repository_root(tmp_path / "site-packages" / "bellwether")


def test_the_home_is_what_the_environment_names_or_the_clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLWETHER_HOME", str(tmp_path))
    assert Home.found().path == tmp_path

    monkeypatch.delenv("BELLWETHER_HOME")
    assert Home.found().path == repository_root() / ".bellwether"


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "new")

    assert home.secret("key") == home.secret("key")
    assert (home.path / "key").stat().st_mode & 0o777 == 0o600
