"""Speed and memory of the main job's parts, beside peers in the same run: `python -m bench`."""
