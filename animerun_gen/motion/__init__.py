"""Exact motion from geometry: visibility buffers, optical flow, occlusion and companions; no Blender in here."""
