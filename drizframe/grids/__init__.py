"""Where pixels lie: frames, maps, footprints."""
