"""Two-tone shade as cels have it: base, shadow and highlight, each flat, with hard borders."""
