"""The reference compositor: headless, small, and right before it is fast."""
