"""Streams of logs: pipes, files that rotate, syslog; in order, bounded, nothing lost unsaid."""
