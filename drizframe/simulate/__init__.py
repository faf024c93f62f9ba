"""Exposures with known truth.

>>> from drizframe.simulate import dither, random_scene, simulate
>>> scene = random_scene(1, stars=20, galaxies=2)
>>> visit = simulate("acs_wfc", scene, dither(3), seed=1, shape=(200, 200))
>>> [exposure.name for exposure in visit]
['jsim01aaq', 'jsim02aaq', 'jsim03aaq']

``visit.write(folder)`` makes FITS files in the layout of the instrument, and the truth beside them.
"""

from drizframe.simulate.camera import CAMERAS, Camera, ChipDesign, Psf, camera_named, register_camera
from drizframe.simulate.cameras import acs_hrc, acs_wfc, generic, wfc3_ir, wfc3_uvis
from drizframe.simulate.pointing import Pointing, dither
from drizframe.simulate.scene import Galaxies, Scene, Sky, Stars, random_scene
from drizframe.simulate.simulation import ChipTruth, SimulatedChip, SimulatedExposure, Simulation, simulate
from drizframe.simulate.truth import RayTruth, SkyTruth, StarTruth, TruthReport, truth_table

__all__ = [
    "CAMERAS",
    "Camera",
    "ChipDesign",
    "ChipTruth",
    "Galaxies",
    "Pointing",
    "Psf",
    "RayTruth",
    "Scene",
    "SimulatedChip",
    "SimulatedExposure",
    "Simulation",
    "Sky",
    "SkyTruth",
    "StarTruth",
    "Stars",
    "TruthReport",
    "acs_hrc",
    "acs_wfc",
    "camera_named",
    "dither",
    "generic",
    "random_scene",
    "register_camera",
    "simulate",
    "truth_table",
    "wfc3_ir",
    "wfc3_uvis",
]
