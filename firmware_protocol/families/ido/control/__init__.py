"""One small codec file per noun: what the companion sets, asks and is told."""
