"""What a dataset needs to be published: a card, metadata, shards, and pictures of it."""
