"""Learned methods; only what lies here and below ``training`` imports torch."""
