"""Who of ours is in touch with a person, and how much of an account hangs by a single thread."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE person ADD COLUMN contacts uuid[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE coverage ADD COLUMN thread_share double precision CHECK (thread_share BETWEEN 0 AND 100)")
