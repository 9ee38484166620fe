"""Learned methods; what lies here imports torch."""

# before anything else asks for torch: it says what to install where there is none
from animerun_gen import networks as _networks  # noqa: F401
