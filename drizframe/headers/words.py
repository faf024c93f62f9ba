"""Keywords of world coordinates, by their forms."""

from __future__ import annotations

import re

__all__ = ["EQUINOX", "TERMS", "WORLD"]

#: World coordinates, primary or (with a letter) alternate.
WORLD = re.compile(
    r"(WCSAXES|WCSNAME|WCSTYPE|C(TYPE|RPIX|RVAL|DELT|UNIT|ROTA|RDER|SYER|ZPHS|PERI|NAME)\d+|(CD|PC|PV|PS)\d+_\d+"
    r"|LONPOLE|LATPOLE|RADESYS|MJDREF|RESTFRQ|RESTWAV|SPECSYS|SSYSOBS|SSYSSRC|VELOSYS|ZSOURCE|VELANGL|ORIENTA)[A-Z]?"
    r"|EQUINOX[A-Z]|RADECSYS|RESTFREQ|VELREF|MJDREF[IF]|ORIENTAT|WCSDIM|WAT\d_\d+"
)
#: Equinox of the world coordinates; in a header without any, that of the position of the target.
EQUINOX = re.compile(r"EQUINOX|EPOCH")
#: Distortion that belongs to the world coordinates: polynomials and look-up tables.
TERMS = re.compile(
    r"[AB]P?_(ORDER|DMAX|\d+_\d+)|D2IM(?!FILE).*|DP\d.*|DQ\d.*|CPDIS\d|CQDIS\d|CPERR\d|CQERR\d|CP\d.*|DVERR.*"
    r"|DGEOEXT|NPOLEXT|AXISCORR"
)
