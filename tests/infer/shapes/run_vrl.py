"""Run in a Python that has vector-vrl: programs and lines from stdin, events to stdout, as JSON."""

import json
import sys

from vector_vrl import execute_vrl


def plain(value):
    """The binding hands objects and lists over as JSON text."""
    if isinstance(value, str) and value[:2] in ('{"', '["'):
        return plain(json.loads(value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def main():
    out = {}
    for source, (program, lines) in json.load(sys.stdin).items():
        events = execute_vrl(program, [json.dumps({"message": line}) for line in lines])
        # A message may be JSON itself: it stays the text that it is.
        out[source] = [
            {key: value if key == "message" else plain(value) for key, value in event.items()}
            for event in events
        ]
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
