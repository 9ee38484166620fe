"""What is done for a cut, a frame or a pair, each a step that can be done anywhere."""
