"""The compiled loops behind colour passes.  All arrays are in C order."""
