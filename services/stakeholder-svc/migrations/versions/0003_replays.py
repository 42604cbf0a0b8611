"""Dead letters can be tried again: who asked, when it is due, and what came of it."""

from alembic import op

from bellwether_kit.db.migrations import add_replays

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_replays(op)
