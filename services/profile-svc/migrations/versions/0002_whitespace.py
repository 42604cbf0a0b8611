"""What an account could still buy from us in a year."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE account
            ADD COLUMN whitespace_amount numeric CHECK (whitespace_amount >= 0),
            ADD COLUMN whitespace_currency text,
            ADD CHECK ((whitespace_amount IS NULL) = (whitespace_currency IS NULL))
        """
    )
