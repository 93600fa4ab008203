"""Whole stories: a recorded stream of a real switch in, an Excel cell out."""
