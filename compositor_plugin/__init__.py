"""The compositor's side: the plugin that picks the heap, and the hosts it runs in."""
