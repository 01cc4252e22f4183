"""The plugin as a module of Weston: its C, and what compiles it."""
