"""animerun-gen: 2D-anime-style correspondence datasets from 3D film scenes.

The folders read in the order in which data flows:

``color``     colours as people write them, as pictures hold them, and as the eye compares them
``config``    what a cut asks for (YAML file -> :class:`~animerun_gen.config.CutConfig`)
``blender``   opens the film scene, converts it to 2D style, renders it and takes down its geometry;
              the only package that imports ``bpy``
``motion``    visibility buffers and exact optical flow from that geometry
``lines``     line art from that geometry, lines taken out, and lines over colours
``labels``    occlusion, segments and region matches from pictures and flow
``quality``   figures that say whether a pair of frames can be trusted
``dataset``   the layout on disk, written and read
``report``    pages to look at all of it in a browser
``pipeline``  plans, runs, interrupts and continues all of it; ``cli`` is its face
"""

__version__ = "0.8.0"
