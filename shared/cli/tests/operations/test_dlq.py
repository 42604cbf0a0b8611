"""`bellwether dlq` on the database of a service: what it shows, what it asks for, what it leaves alone."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bellwether.errors import EngineFailed, NotUp
from bellwether.operations.databases import UnknownService
from bellwether.operations.dlq import app
from bellwether.operations.letters import UnknownLetter, readable, user

Bury = Callable[..., UUID]
Working = Callable[[], AbstractContextManager[None]]


def run(*arguments: object, columns: int = 250) -> Result:
    """The command's result; errors that are said in one line are raised."""
    result = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": str(columns)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def states() -> list[str]:
    return [letter["state"] for letter in json.loads(run("list", "--json").stdout)]


def test_what_is_listed_can_be_narrowed(bury: Bury) -> None:
    first, second = bury(), bury(b"no event", topic="others", headers='{"ce_type": "other.v1"}')
    listed = run("list").stdout
    assert [str(first) in listed, "thing.sung.v1" in listed, "2 dead letters" in listed] == [True] * 3
    assert str(first) in run("list", columns=60).stdout  # to be copied, also where it is printed narrow
    for narrowed in (("--topic", "others"), ("--type", "other.v1"), ("--service", "plan", "--topic", "others")):
        [letter] = json.loads(run("list", "--json", *narrowed).stdout)
        assert (letter["id"], letter["service"], letter["offset"]) == (str(second), "plan", 7)
    assert json.loads(run("list", "--json", "--state", "done").stdout) == []


def test_one_is_shown_whole_with_every_try(bury: Bury, working: Working) -> None:
    id_ = bury(b"\x00\xff", headers='{"ce_type": "other.v1"}')
    with working():
        assert run("replay", id_, "--reason", "mended", "--by", "ann", "--wait", 30).exit_code == 1
    said = run("show", id_).stdout
    for text in ("hex 00ff", "ce_type: other.v1", "unknown type: x", "failed: by ann, mended (Malformed: undecodable"):
        assert text in said
    shown = json.loads(run("show", id_, "--json").stdout)
    assert (shown["service"], shown["state"], shown["replay_tries"]) == ("plan", "failed", 1)


def test_a_replay_is_tried_by_the_worker_and_asking_again_changes_nothing(bury: Bury, working: Working) -> None:
    id_ = bury()
    assert run("replay", id_, "--reason", "mended").stdout == "1 asked for\n"
    assert run("replay", id_, "--reason", "twice").stdout == "0 asked for, 1 done or waiting already\n"
    assert "mended" in run("show", id_).stdout.splitlines()[-1]
    with working():
        bad = bury(b"no event")
        result = run("replay", "--all", "--reason", "mended", "--wait", 30)
        assert (result.exit_code, f"{bad} plan failed: Malformed" in result.stdout) == (1, True)
    assert states() == ["done", "failed"]
    assert run("replay", id_, "--reason", "again", "--wait", 30).stdout == "0 asked for, 1 done or waiting already\n"


def test_a_dry_run_tells_how_it_would_go_and_leaves_it_open(bury: Bury, working: Working) -> None:
    good, bad = bury(), bury(b"no event")
    with working():
        result = run("replay", "--all", "--reason", "to see", "--dry-run")
    assert f"{good} plan would-work\n{bad} plan would-fail: Malformed: undecodable" in result.stdout
    assert result.exit_code == 1
    assert run("replay", "--all", "--topic", "things", "--reason", "mended").stdout == "2 asked for\n"


def test_a_dry_run_that_no_worker_tries_is_taken_back(bury: Bury) -> None:
    id_ = bury()
    result = run("replay", id_, "--reason", "to see", "--dry-run", "--wait", 0.1)
    assert (result.exit_code, "does the worker run?" in result.stderr) == (1, True)
    assert states() == ["new"]


def test_a_rate_spaces_the_tries(bury: Bury, plan_database: str) -> None:
    for _ in range(3):
        bury()
    run("replay", "--all", "--reason", "mended", "--rate", 0.5)
    with psycopg.connect(plan_database) as worker:
        due = [row[0] for row in worker.execute("SELECT replay_due_at FROM dead_letter ORDER BY replay_due_at")]
    assert [(b - a).total_seconds() for a, b in pairwise(due)] == [2, 2]


def test_what_nobody_wants_is_settled_and_all_leaves_it_alone(bury: Bury) -> None:
    id_ = bury()
    assert run("discard", id_, "--reason", "a test of the producer").stdout == "1 discarded\n"
    assert run("discard", id_, "--reason", "again").stdout == "0 discarded, 1 done, waiting or discarded already\n"
    assert run("replay", "--all", "--reason", "mended").stdout == "0 asked for\n"
    assert states() == ["discarded"]
    assert run("replay", id_, "--reason", "wanted after all").stdout == "1 asked for\n"


@pytest.mark.parametrize("given", [(), (uuid4(), "--all"), ("--all", "--state", "gone")])
def test_what_is_not_clear_is_refused(bury: Bury, given: tuple[object, ...]) -> None:
    bury()
    assert run("replay", "--reason", "x", *given).exit_code == 2
    assert states() == ["new"]


def test_no_reason_is_no_replay(bury: Bury) -> None:
    assert run("replay", bury()).exit_code == 2


def test_what_is_unknown_is_said_so(bury: Bury, monkeypatch: pytest.MonkeyPatch) -> None:
    bury()
    with pytest.raises(UnknownLetter, match="no dead letter"):
        run("show", uuid4())
    with pytest.raises(UnknownLetter, match="no dead letter"):
        run("replay", uuid4(), "--reason", "x")
    with pytest.raises(UnknownService, match="there are plan"):
        run("list", "--service", "metrics")
    monkeypatch.setenv("BELLWETHER_PLAN_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/plan")
    with pytest.raises(EngineFailed, match="plan-svc can't be asked"):
        run("list")
    monkeypatch.delenv("BELLWETHER_PLAN_DATABASE_URL")
    with pytest.raises(NotUp):
        run("list")


def test_who_asks_has_a_name_or_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert user() == "ann"
    monkeypatch.setattr("getpass.getuser", lambda: {}["no name"])
    assert user().removeprefix("uid ").isdecimal()


def test_bytes_are_shown_as_what_they_are() -> None:
    assert readable(None) == "(none)"
    assert readable(b'{"a":1}') == '{\n  "a": 1\n}'
    assert [readable(b"plain"), readable(b"a\x00")] == ["plain", "hex 6100"]
