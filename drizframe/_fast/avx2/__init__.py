"""The compiled modules whose loops are vector instructions, built once more for processors with AVX2.

They have the same sources and give the same bits; `drizframe._fast.load` chooses.
"""
