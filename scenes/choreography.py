"""The motion of every toy scene as formulas, for builders and for tests; needs neither Blender nor numpy.

``SCENES[name]`` is a :class:`~scenes.motion.Choreography`; its questions are

``frames``                                  the frames of the cut
``camera(frame)``                           the camera that films it (:class:`~scenes.motion.CameraState`)
``object_matrix(name, frame)``              world matrix of what moves rigidly or scales, else ``None``
``limb_matrix(bone, frame)``                the same for the vertices that a bone has to itself
``shape_key_offset(name, point, frame)``    how far shape keys carry a rest point
``surface_matrix(name, frame, material)``   one affine matrix from rest points to the world, whatever it is that moves
                                            them; ``None`` where no single matrix does
``instances(frame)``                        every instance with its matrix
``invalid(frame, target)``                  whose motion between two frames is undefined

True motion of a surface point ``p`` seen at frame t is then
``surface_matrix(t + 1) @ inverse(surface_matrix(t)) @ p``, seen by ``camera(t + 1)``.
"""

from __future__ import annotations

from scenes import blueprint, courier, festival, flyover, postcard, still, workshop
from scenes.motion import EVERYTHING, CameraState, Choreography, Instance

_MODULES = (courier, flyover, blueprint, festival, workshop, postcard, still)

SCENES: dict[str, Choreography] = {module.CHOREOGRAPHY.name: module.CHOREOGRAPHY for module in _MODULES}
"""Every toy scene's motion by its name, which is also the name of its file, its module and its cut."""

__all__ = ["EVERYTHING", "SCENES", "CameraState", "Choreography", "Instance"]
