"""One job each, an async iterator of events or one plain result."""
