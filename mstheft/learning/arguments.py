"""Do the arguments of a learned attack fit one another? Asked before anything is paid for."""

from mstheft.nn.network import Network
from mstheft.typing import Array, Oracle


def check(oracle: Oracle, rows: Array, copy: Network, least: int, epochs: int, batch: int) -> None:
    """Raise ValueError for too few rows, for a copy of another shape than the oracle's, and for a
    training of no epochs or empty batches.

    rows : the pool, or the seed rows;  least : how many of them the attack needs
    copy : what new_copy builds
    """
    if len(rows) < least:
        raise ValueError(f"expected a pool of at least {least:,} rows, got {len(rows):,}")
    fits = oracle.outputs in (None, copy.outputs) or {oracle.outputs, copy.outputs} == {1, 2}
    if copy.inputs != oracle.inputs or not fits:
        raise ValueError(
            f"expected a copy of {oracle.inputs} inputs and {oracle.outputs} outputs as the "
            f"oracle's, got {copy.inputs} and {copy.outputs}; change new_copy"
        )
    if min(epochs, batch) < 1:
        raise ValueError(f"expected epochs= and batch= of at least 1, got {epochs} and {batch}")
