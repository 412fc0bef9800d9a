"""``aegis fleet``: many suspects at once."""
