"""`python -m mstheft` is `mstheft`."""

import sys

from mstheft.cli import main

if __name__ == "__main__":
    sys.exit(main())
