"""Checks a dataset, and makes what is damaged again."""
