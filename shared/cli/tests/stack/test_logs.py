"""Reading the processes' logs: the last lines, and the new ones as whole lines."""

from pathlib import Path

import pytest

from bellwether.home import Home
from bellwether.stack.logs import NoSuchLog, follow, last_lines


@pytest.fixture
def home(tmp_path: Path) -> Home:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "plan-api.log").write_text("one\ntwo\nthree\n")
    (logs / "plan-worker.log").write_text("four\n")
    (logs / "supervisord.log").write_text("not a process\n")
    return Home(tmp_path)


def test_the_last_lines_of_one_process_are_bare(home: Home) -> None:
    assert list(last_lines(home, "plan-api", 2)) == ["two", "three"]
    assert list(last_lines(home, "plan-api", 0)) == []


def test_the_lines_of_several_carry_their_names(home: Home) -> None:
    assert [line.split() for line in last_lines(home, None, 1)] == [["plan-api", "three"], ["plan-worker", "four"]]


def test_an_unknown_process_is_named_with_those_there_are(home: Home) -> None:
    with pytest.raises(NoSuchLog, match="there are plan-api, plan-worker"):
        list(last_lines(home, "metrics-api", 2))


def test_following_gives_whole_lines_from_now_on_and_reads_a_turned_file_anew(home: Home) -> None:
    lines = follow(home, "plan-api")
    file = home.logs / "plan-api.log"
    (home.logs / "plan-api.log").write_text("x\n")  # shorter than before: turned

    assert next(lines) == "x"
    with file.open("a") as log:
        log.write("half")
        log.flush()
        log.write(" and whole\nnext")
        log.flush()

    assert next(lines) == "half and whole"
