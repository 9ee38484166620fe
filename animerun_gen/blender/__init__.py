"""The only package that imports ``bpy``: opens a film scene, converts it, renders it and takes down its geometry.

The same code runs in the ``bpy`` module and in an installed Blender (3.4 or newer).
"""
