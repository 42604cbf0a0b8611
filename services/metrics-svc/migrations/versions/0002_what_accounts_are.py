"""What metrics group accounts by, and what a person recognises one by: name, owner, tier, territory, cadence."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE account
        ADD name text, ADD owner_id uuid, ADD tier text, ADD territory text,
        ADD cadence_days double precision CHECK (cadence_days > 0)
    """)
