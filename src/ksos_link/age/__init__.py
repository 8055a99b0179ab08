"""Files in the format of age (https://age-encryption.org/v1), written and read as streams.

What a person exports can be read by `age` and `rage` too, and what those wrote for a passphrase or
an `age1...` recipient can be read here. The bindings of rage that there are take a passphrase for
bytes in memory only and cannot seek while they decrypt, and a file of ours may be larger than
memory and its archive is read from both ends; so the container is made here, from the primitives
of `cryptography`. Tests hold it against those bindings, both ways.
"""
