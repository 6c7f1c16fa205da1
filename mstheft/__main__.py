"""The door of the command `mstheft`, and of `python -m mstheft`."""

import sys


def main() -> int:
    """Run the command line; a Ctrl-C while it is still being loaded ends as every other."""
    try:
        from mstheft import cli

        return cli.main()
    except KeyboardInterrupt:
        print("mstheft: stopped by Ctrl-C before anything was begun", file=sys.stderr)  # noqa: T201
        return 130


if __name__ == "__main__":
    sys.exit(main())
