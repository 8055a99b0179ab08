"""ksos-link: the open companion for KS OS watches."""

__version__ = "0.1.0"
