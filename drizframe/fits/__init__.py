"""FITS files, looked at before a library opens them: what they claim to hold, and whether they have changed."""
