"""Virtual bootloaders: the watch's end of each firmware transport, strict as the reference says."""
