"""What drizframe ships; every component and step here is a plugin like anybody's."""
