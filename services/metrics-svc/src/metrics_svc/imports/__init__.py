"""Imports: files of activities, read as they arrive, however long they are."""
