"""`mstheft steal KIND`: one model, by an exact attack or by a copy that learns."""

from __future__ import annotations

from typing import Any

from mstheft.cli import steal_exact, steal_learned


def add_arguments(parser: Any) -> None:
    """All kinds."""
    kinds = parser.add_subparsers(metavar="KIND", dest="kind", required=True)
    steal_exact.add_kinds(kinds)
    steal_learned.add_kinds(kinds)
