"""What is on record is what deriving everything anew gives, as the command line shows it."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from days import DAY, busy_months
from stories import begin
from tenants import Tenant

from bellwether.home import repository_root

pytestmark = pytest.mark.stack

BELLWETHER = Path(sys.executable).with_name("bellwether")
ENGINES = {"BELLWETHER_POSTGRES_URL", "BELLWETHER_KAFKA_BOOTSTRAP"}


def evidence(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What `bellwether evidence …` prints and how it ends."""
    kept = {name: value for name, value in os.environ.items() if name not in ENGINES}
    return subprocess.run(
        [str(BELLWETHER), "evidence", *arguments],
        env=kept | {"COLUMNS": "200"} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def test_a_replayed_history_gives_the_evidence_that_deriving_it_from_scratch_gives() -> None:
    orders = repository_root() / "examples" / "orders.csv"

    ended = evidence("replay", str(orders), "--limit", "300", "--step", "7d")

    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "300 activities replayed" in ended.stdout
    assert "No difference" in ended.stdout
    assert "order-placed" in ended.stdout


def test_evidence_that_its_activities_do_not_give_is_named(tenant: Tenant) -> None:
    begin(tenant)
    for route, body in busy_months(tenant.now - DAY):
        tenant.say([body], route)
    tenant.settle()
    home = {"BELLWETHER_HOME": str(tenant.stack.home.path)}

    sound = evidence("check", "--tenant", tenant.name, **home)
    with psycopg.connect(f"{tenant.stack.layout.postgres_url.rpartition('/')[0]}/metrics", autocommit=True) as server:
        spoil = "UPDATE evidence SET magnitude = 7 WHERE tenant = %s AND kind = 'call-unreturned' RETURNING evidence_id"
        spoilt = server.execute(spoil, [tenant.name]).fetchall()
    unsound = evidence("check", "--tenant", tenant.name, **home)

    assert (sound.returncode, "No difference" in sound.stdout) == (0, True), sound.stdout + sound.stderr
    assert unsound.returncode == 1
    assert f"{len(spoilt)} differences" in unsound.stdout
    assert "changed  call-unreturned" in unsound.stdout
