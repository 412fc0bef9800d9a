"""Results on disk, found again by what they depend on."""
