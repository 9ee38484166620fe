"""Which Blender there is, how it is started and watched, and what it is told; nothing here needs ``bpy``."""

PATIENCE = 600.0
"""Seconds without an event after which a child that does not compute either is held to hang."""
