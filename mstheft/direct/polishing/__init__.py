"""From a rough copy to the noise of the answers: Gauss-Newton, error bars, the end of an attack."""
