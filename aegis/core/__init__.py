"""Ground that every room stands on: errors, text, files, processes, and the types that steps pass on."""
