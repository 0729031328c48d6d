"""Zone files from a county's GIS: bytes in, candidate zones with a report out; nothing is stored."""
