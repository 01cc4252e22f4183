"""The commands that ask a compositor which runs, and nobody imports from each other."""
