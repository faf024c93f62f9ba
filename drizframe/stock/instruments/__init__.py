"""Instruments: from headers to the facts of exposures and chips; one module each."""
