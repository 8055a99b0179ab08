"""What samples come to: figures, summaries of days to years, medals, a place among others.

Pure functions: the same for a terminal, a page and a file. Each figure names its formula; what
the readings do not carry is absent, with the reason. Nothing here opens a store or reads a clock.

`figure`, `levels`, `geodesy` are the ground; then one file per subject (`heart`, `energy`,
`track`, `sleep`, ...); then `day`, `night`, `week`, `period`, `medals`, `ranking`, which put them
together from columns of samples.
"""
