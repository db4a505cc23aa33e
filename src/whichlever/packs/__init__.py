"""Task families that come ready; each registers itself by an entry point."""
