"""Settings of a scan and its outcome as plain records, and how both are put into words; without torch."""
