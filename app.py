"""Home: what AEGIS is, the available suspects, and how to start."""

import streamlit as st

from aegis import ui
from aegis.ui.home.suspect_list import show_suspects

PYTHON = """\
import aegis

path = "assets/models/fashion_mnist_localised.safetensors"
suspect = aegis.load_checkpoint(path)
data = aegis.load_dataset("samples:fashion_mnist")
result = aegis.scan(suspect, data)
print(result.sentence)
"""

ui.frame("AEGIS")

with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    st.image(str(ui.LOGO), width=72, alt="")
    with st.container(gap=None):
        st.title("AEGIS", anchor=False)
        st.markdown(
            "AEGIS tells whether an adversarially robust image classifier hides a backdoor, and in which class. "
            "It lets the model turn images into each class, groups the results by their features, and tries what "
            "changed as a trigger on images the search never saw."
        )

ui.show_running()
st.header("Suspects", anchor=False)
folder = ui.suspects_folder()
paths = ui.list_suspects(folder)
if paths:
    st.markdown("Checkpoints at hand. Each is clean or hides a backdoor; a scan finds out which.")
    show_suspects(paths)
else:
    with st.container(border=True, key="empty"):
        st.markdown("**No suspects here.** AEGIS looks for `*.safetensors` files in this folder:")
        st.code(str(folder), language=None)
        st.markdown(
            "Train one with `aegis train`, put a checkpoint there, or set `AEGIS_SUSPECTS` to a folder that has some. "
            "Then reload the page."
        )

st.header("Recent scans", anchor=False)
ui.show_recent()

st.header("How to start", anchor=False)
shell, python = st.columns([2, 3])
with shell:
    st.markdown("**Scan from the command line:** in the project's folder")
    command = ui.command_for(paths[0]) if paths else "aegis scan --help"
    st.code(f"source .venv/bin/activate\n{command}", language="bash", wrap_lines=True)
with python:
    st.markdown("**Scan from Python:**")
    st.code(PYTHON, language="python", wrap_lines=True)
