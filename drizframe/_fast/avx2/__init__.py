"""The compiled modules whose loops are vector instructions, built once more for processors with AVX2.

They have the same sources and give the same bits; there the loader of ``drizframe._fast`` takes these files for the modules
of their names, so nothing is imported from here.
"""
