"""Each sabotage applies to today's code, in the processes that are to run it and nowhere else."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.sabotage import sitecustomize
from faults.sabotage.bites import CONTROL, SEEDS, Bite, bite, first_right
from faults.sabotage.catalogue import SABOTAGES
from faults.sabotage.edits import Edit, Stale, compiled, put_in_force

TESTS = Path(__file__).parents[1]
RESET = (
    "from bellwether_kit.events import kafka; print(kafka.consumer_options(kafka_settings(), 'g')['auto_offset_reset'])"
)
ASKED = "from bellwether_kit.settings import KafkaSettings as kafka_settings; " + RESET


def told(name: str | None) -> "subprocess.CompletedProcess[str]":
    """What a fresh process under a sabotage says of where a new group starts."""
    path = os.pathsep.join([str(Path(sitecustomize.__file__).parent), str(TESTS)])
    more = {"PYTHONPATH": path} | ({"BELLWETHER_SABOTAGE": name} if name else {})
    command = [sys.executable, "-c", ASKED]
    return subprocess.run(command, env=os.environ | more, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotage_applies_to_the_code_of_today(name: str) -> None:
    sabotage = SABOTAGES[name]
    assert len(compiled(sabotage.edits)) == len({edit.module for edit in sabotage.edits}) > 0


def test_lines_that_are_no_longer_there_are_no_sabotage() -> None:
    with pytest.raises(Stale, match="0 times"):
        compiled([Edit("bellwether_kit.events.kafka", "what nobody wrote", "")])


def test_lines_that_are_there_twice_are_no_sabotage() -> None:
    with pytest.raises(Stale, match="and not once"):
        compiled([Edit("bellwether_kit.events.kafka", "settings", "")])


def test_a_module_that_is_not_there_is_no_sabotage() -> None:
    with pytest.raises(ModuleNotFoundError):
        compiled([Edit("bellwether_kit.nothing", "a", "b")])


def test_a_module_that_is_imported_already_cannot_be_edited() -> None:
    with pytest.raises(RuntimeError, match="too late"):
        put_in_force([Edit("faults.sabotage.edits", "a", "b")])


def test_a_process_runs_the_edited_lines_and_only_where_it_is_told_to() -> None:
    assert (told("latest").stdout, told(None).stdout) == ("latest\n", "earliest\n")


def test_a_process_under_an_unknown_sabotage_does_not_run() -> None:
    ended = told("no-such-thing")
    assert (ended.returncode, ended.stdout) == (70, "")


@dataclass(frozen=True)
class Found:
    """One finding of the judge."""

    name: str
    violations: list[str]


FINE, LOST = Found("I3 evidence", []), Found("I4 scores", ["acme:\n  lost", "globex: lost"])
LATE = Found("I12 ready in time", ["metrics-api: late"])


def seen_at(name: str, seed: int) -> tuple[Bite, list[int]]:
    """What comes of a sabotage that only one seed shows, and the seeds that were tried."""
    tried: list[int] = []

    def run(each: int) -> Bite:
        tried.append(each)
        return bite(name, each, [FINE, LOST] if each == seed else [FINE])

    return first_right(name, 1, run), tried


def test_what_the_judge_saw_is_told_by_invariant_and_in_its_words() -> None:
    assert bite("latest", 7, [FINE, LOST]) == Bite("latest", 7, ("I4 scores",), "acme: lost")


def test_a_slow_machine_is_no_sign_of_a_sabotage_but_spoils_the_control() -> None:
    assert not bite("latest", 7, [FINE, LATE]).is_right
    assert not bite(CONTROL, 7, [FINE, LATE]).is_right
    assert bite(CONTROL, 7, [FINE]).is_right


def test_seeds_are_tried_until_a_sabotage_is_seen() -> None:
    seen, tried = seen_at("latest", 2)
    assert (seen.is_right, tried) == (True, [1, 2])


def test_a_sabotage_that_no_seed_shows_is_not_seen() -> None:
    seen, tried = seen_at("latest", 99)
    assert (seen.is_right, len(tried)) == (False, SEEDS)


def test_the_control_gets_one_seed() -> None:
    seen, tried = seen_at(CONTROL, 1)
    assert (seen.is_right, tried) == (False, [1])


def test_each_sabotage_is_in_the_documents() -> None:
    told = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert not [name for name in SABOTAGES if f"| `{name}` |" not in told]
