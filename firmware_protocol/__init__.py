"""What the bytes of KS OS watches mean: no I/O, no clock, no logging."""
