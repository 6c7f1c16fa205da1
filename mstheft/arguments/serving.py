"""The arguments of `mstheft serve`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mstheft.arguments.values import share, whole


def add_serve(commands: Any) -> None:
    """mstheft serve VICTIM."""
    parser = commands.add_parser("serve", help="a model behind HTTP, for others to ask")
    parser.set_defaults(command="serve")
    add = parser.add_argument
    add("model", type=Path, metavar="VICTIM", help="written by Network.save")
    modes = ("logits", "log_probs", "probs", "top_k", "label")
    add("--output", choices=modes, default="probs", help="(default: %(default)s)")
    add("--decimals", type=whole(0), metavar="N", help="to which answers are rounded")
    add("--top", type=whole(1), metavar="N", help="how many probabilities top_k tells")
    add("--budget", type=whole(0), metavar="N", help="rows for each key that names no other")
    add("--detector", choices=("prada", "none"), default="prada", help="(default: %(default)s)")
    add("--delta", type=share, default=0.9, metavar="D", help="alarm below (default: 0.9)")
    add("--keys", type=Path, metavar="FILE", help="lines NAME KEY [BUDGET] (default: a new key)")
    add("--accounts", type=Path, metavar="FILE", help="counts (default: VICTIM.accounts.db)")
    add("--host", default="127.0.0.1", help="(default: %(default)s)")
    add("--port", type=_port, default=8000, metavar="N", help="(default: %(default)s)")
    add("--quiet", action="store_true", help="say only what went wrong")


def _port(text: str) -> int:
    port = whole(1)(text)
    if port > 65535:
        raise argparse.ArgumentTypeError(f"expected a port up to 65535, got {text!r}")
    return port
