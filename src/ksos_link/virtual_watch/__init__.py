"""The other end: a virtual watch on a virtual radio."""
