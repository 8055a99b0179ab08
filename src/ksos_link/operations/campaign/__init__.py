"""Campaigns: many watches, many steps, one night, one true report."""
