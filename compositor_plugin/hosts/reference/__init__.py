"""The reference compositor: headless, small, and strict with its clients."""
