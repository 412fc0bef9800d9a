"""The History and Compare pages."""
