"""Reports of a day, a week, a month, a year: made once from the store, shown in three ways.

`source` reads the store, `make` puts a `model.Report` together from insights; `document` (JSON),
`page` (HTML) and `ksos_link.cli.report_text` (terminal) show one and the same. `words` says how
values are written; `markup` and `charts` draw for the page.
"""
