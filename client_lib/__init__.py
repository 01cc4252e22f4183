"""The client's side: negotiate, allocate, import, play."""
