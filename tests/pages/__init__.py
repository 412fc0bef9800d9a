"""Each page as Streamlit runs it, in every state."""
