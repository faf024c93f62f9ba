"""The machinery of plugins: manager, registry, checks, parameter sections."""
