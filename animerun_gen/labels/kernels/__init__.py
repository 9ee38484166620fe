"""The compiled loops behind the labels, by what they are about.  All arrays are in C order."""
