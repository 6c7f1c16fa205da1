"""Types that are said everywhere: arrays, sources of chance, and what an attack asks."""

from __future__ import annotations
