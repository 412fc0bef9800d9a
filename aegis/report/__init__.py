"""The verdict on paper. Its parts are imported by whoever makes a report: matplotlib takes seconds to load."""
