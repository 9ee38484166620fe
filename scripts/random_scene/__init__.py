"""The parts of scripts/random_scenes.py; none of them imports the package that they try."""
