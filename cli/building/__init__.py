"""The commands that compile what goes into another program."""
