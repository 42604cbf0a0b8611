"""Dead letters can be tried again."""

from alembic import op

from bellwether_kit.db.migrations import add_replays

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_replays(op)
