"""``python -m whichlever`` is the command ``whichlever``."""

import sys

from whichlever.cli import main

if __name__ == "__main__":
    sys.exit(main())
