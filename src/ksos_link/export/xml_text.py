"""Values as XML of the exchange formats wants them."""


def decimal_text(value: float) -> str:
    """A number without an exponent, which `xsd:decimal` does not know; exact but for tiny ones."""
    text = repr(value)
    return f"{value:.12f}" if "e" in text else text


def plain_text(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c in "\t\n")
