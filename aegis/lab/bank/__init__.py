"""The bank: suspects of many kinds to try detectors on."""
