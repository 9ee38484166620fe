"""The compiled loops behind visibility, motion, exact occlusion and the pictures that fall out of them.

Each module holds one idea; all of them take a frame as the arrays of :class:`~.projection.Meshes`.  All arrays are in C
order; an instance number below zero is the background.
"""
