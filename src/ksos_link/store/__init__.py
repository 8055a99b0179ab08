"""The encrypted store: raw records, samples, watermarks, devices."""
