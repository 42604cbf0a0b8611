"""When the overdue actions of a plan were due, so that a change of dates alone is said too.

Plans keep an empty list until they are measured next; what was said of them so far named no dates either.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE plan ADD COLUMN overdue_since date[] NOT NULL DEFAULT '{}'")
