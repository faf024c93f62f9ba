"""Threads of OpenMP cost far more than they bring on the small images of these tests."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
