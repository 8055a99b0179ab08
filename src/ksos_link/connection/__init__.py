"""The only place that holds a transport and a session."""
