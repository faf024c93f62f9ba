"""Cosmic-ray detectors."""
