"""The project's own toy scenes: closed-form motion, the scripts that build the ``.blend`` files, and the files.

``transforms``    4x4 matrices and poses in plain Python
``choreography``  what moves where, as formulas (no Blender needed: tests compute true motion from it)
``shapes``        meshes in plain Python
``toolkit``       turns shapes and choreography into Blender objects and keyframes
``build``         writes ``scenes/<name>.blend`` (run inside Blender 3.4, so that every later one can read them)
``check``         proves, inside any Blender, that a file plays what its choreography says

One module a scene (``courier``, ``flyover``, ...) holds its shapes and colors.
"""
