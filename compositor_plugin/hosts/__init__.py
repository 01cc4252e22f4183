"""Hosts: compositors that the plugin runs in."""
