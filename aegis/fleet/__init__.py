"""Many tasks on several processes, each computed once."""
