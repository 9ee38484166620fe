"""Lines: drawn from the geometry, taken out where nobody should see them, laid over colours; no Blender in here."""
