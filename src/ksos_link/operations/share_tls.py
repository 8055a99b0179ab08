"""Encrypted connections to receivers: whom this machine trusts, or a file that a person names."""

import ssl
from pathlib import Path

from ksos_link.errors import NotFoundError, UsageError


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context that checks certificate and name.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError as error:
        raise UsageError("The file of --ca-file holds no certificate.") from error
    except OSError as error:
        raise NotFoundError("The file of --ca-file cannot be read.") from error
