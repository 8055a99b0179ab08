"""The command line: arguments in, one operation, events rendered."""
