"""One folder per wire dialect. Families never import each other (contract in pyproject.toml)."""
