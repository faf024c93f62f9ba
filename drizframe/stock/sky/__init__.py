"""Sky: statistics of its pixels and methods that make one value a chip of them."""
