"""The main job, end to end, on one machine: a park in a sandbox."""
