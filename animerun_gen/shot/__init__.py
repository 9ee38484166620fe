"""Looks at a film shot that nobody prepared: what is in it, what clashes with 2D style, and a first configuration.

``blender/inspector.py`` takes the facts down inside Blender; everything here works on those facts alone.
"""
