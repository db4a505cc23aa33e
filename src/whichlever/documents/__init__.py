"""Folders of documents: read without trust, followed as they change, searched and cited."""
