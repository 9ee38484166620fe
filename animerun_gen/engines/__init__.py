"""Which Blender there is, how it is started and watched, and what it is told; nothing here needs ``bpy``."""
