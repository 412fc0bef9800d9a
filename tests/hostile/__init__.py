"""Files made to break the door, and ways to send them through it."""
