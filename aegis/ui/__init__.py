"""The dashboard; the only room of the package that imports Streamlit."""
