"""A dataset in the folders that other people's readers look for: one module a layout, one run for all of them."""
