"""Where and when each piece of a mosaic is computed."""
