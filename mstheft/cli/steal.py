"""`mstheft steal KIND`: one model, by an exact attack or by a copy that learns."""

from mstheft.cli import steal_exact, steal_learned
from mstheft.cli.options import Parser


def add_arguments(parser: Parser) -> None:
    """All kinds."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    steal_exact.add_kinds(kinds)
    steal_learned.add_kinds(kinds)
