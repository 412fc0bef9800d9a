"""Tables, figures and findings of the paper, ours beside its: a file each, which only computes."""
