"""The commands of `mstheft`: each reads its arguments, calls the package and says what came."""
