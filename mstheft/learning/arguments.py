"""Do the arguments of a learned attack fit one another? Checked before any query."""

from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle


def check(oracle: Oracle, rows: Array, copy: Network, least: int, epochs: int, batch: int) -> None:
    """Raise ValueError for too few rows, for a copy of another shape than the oracle's, and for a
    training of no epochs or empty batches.

    rows : one for each distinct row of the pool, or seed row;  least : of them the attack needs
    copy : what new_copy builds
    """
    if len(rows) < least:
        raise ValueError(f"expected a pool of at least {least:,} distinct rows, got {len(rows):,}")
    fits = oracle.outputs in (None, copy.outputs) or {oracle.outputs, copy.outputs} == {1, 2}
    if copy.inputs != oracle.inputs or not fits:
        wanted = f"a copy of {oracle.inputs} inputs and {oracle.outputs} outputs"
        raise ValueError(f"expected {wanted}, got {copy.inputs} and {copy.outputs}")
    if min(epochs, batch) < 1:
        raise ValueError(f"expected epochs= and batch= of at least 1, got {epochs} and {batch}")
