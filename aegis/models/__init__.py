"""The room of models. Its parts are imported by whoever needs them: reading a card, and the worker, need no torch."""
