"""One data file per watch model, with its quirks as named flags."""
