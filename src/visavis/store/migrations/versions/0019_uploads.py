"""Uploads to an object store, their parts, and the objects of recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("site_id", sa.BigInteger()),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger()),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("part_size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("next_part", sa.Integer(), nullable=False),
        sa.Column("multipart_id", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("holder", sa.Text()),
        sa.Column("held_until", sa.Float(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
    )
    op.create_index("uploads_by_change", "uploads", ["archive", "state", "changed_at"])
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", sa.Text(), sa.ForeignKey("uploads.id"), primary_key=True),
        sa.Column("offset", sa.BigInteger(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer()),
        sa.Column("etag", sa.Text()),
        sa.Column("object_key", sa.Text()),
    )
    op.create_table(
        "recording_objects",
        sa.Column("archive", sa.Text(), primary_key=True),
        sa.Column("object_key", sa.Text(), primary_key=True),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("media_info", sa.Text(), nullable=False),
        sa.Column("is_deleting", sa.Boolean(create_constraint=False), nullable=False),
    )
    for name, is_unique, where in (
        ("recording_objects_by_recording", True, ("NOT is_deleting", "is_deleting = 0")),
        ("recording_objects_to_delete", False, ("is_deleting", "is_deleting = 1")),
    ):
        op.create_index(
            name,
            "recording_objects",
            ["archive", "site_id", "recording_id"],
            unique=is_unique,
            postgresql_where=sa.text(where[0]),
            sqlite_where=sa.text(where[1]),
        )


def downgrade() -> None:
    op.drop_table("recording_objects")
    op.drop_table("upload_parts")
    op.drop_table("uploads")
