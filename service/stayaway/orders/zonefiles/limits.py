"""How large a zone file may be, with the reason for each figure."""

from typing import Final

MAX_UPLOAD_BYTES: Final = 50 * 1024 * 1024
"""The largest real boundary file seen (411,137 vertices) has 16 MB as GeoJSON; three times that."""

MAX_UNPACKED_BYTES: Final = 200 * 1024 * 1024
"""Of a zip, all files together: four times an upload, as shapefiles pack to a third or a quarter."""

MAX_ZIP_ENTRIES: Final = 200
"""A shapefile has up to ten files, a KMZ its icons."""

MAX_ZIP_DIRECTORY_BYTES: Final = 200 * 1024
"""A zip's list of entries, read before anything else: room for long names of all its entries."""

MAX_ZIP_RATIO: Final = 200
"""Unpacked to packed of one entry over `RATIO_MATTERS_BYTES`. Tables of blanks reach 100; DEFLATE's own
limit, which bombs use, is 1,032."""

RATIO_MATTERS_BYTES: Final = 5 * 1024 * 1024
"""Below it an entry may pack as well as it likes: it can do no harm."""

MAX_FEATURES: Final = 10_000
"""More than any county has zones; a parcel layer (hundreds of thousands) was sent by mistake."""

MAX_ZONE_VERTICES: Final = 500_000
"""Of one zone: the most detailed real zone seen has 411,137. Matching costs grow with it."""

MAX_VERTICES: Final = 800_000
"""Of all zones of one file: some 130 MB while it is read, and an answer of about 20 MB."""

MAX_DRAWN: Final = 1_000
"""Features of one file that a distance is drawn around: more places than any order names."""

MAX_DRAWN_VERTICES: Final = 50_000
"""Positions of them together: so many take half a minute. A street or a river has hundreds."""

MAX_JSON_BRACKETS: Final = MAX_VERTICES + 150_000
"""Opening brackets in a JSON text, counted before it is parsed: one a position, and 15 for each feature."""

MAX_XML_ELEMENTS: Final = 400_000
"""Of a KML: 10,000 placemarks with 40 elements each."""

MAX_XML_DEPTH: Final = 100
"""KML nests folders and geometries; nobody by a hundred."""

MAX_CRS_BYTES: Final = 16 * 1024
"""A coordinate system's text; the longest in the EPSG register has 6 kB."""

MAX_NAME_LENGTH: Final = 512
"""WIRE.md's `text`."""

MAX_FINDINGS: Final = 1_000
"""Of a report; the rest is counted. Nobody reads more."""

MAX_FINDINGS_EACH: Final = 20
"""Of one candidate; the rest is counted."""

CHILD_MEMORY_BYTES: Final = 1536 * 1024 * 1024
"""Address space of the child that runs GDAL: it takes 220 MB before it reads anything."""

CHILD_CPU_S: Final = 20
CHILD_WALL_S: Final = 40
"""Of the child that runs GDAL: 50 MB of shapes take about 2 s."""

CHILD_OUTPUT_BYTES: Final = 64 * 1024 * 1024
"""What that child may answer: `MAX_VERTICES` with four numbers each and 10,000 names are under 40 MB."""

READER_MEMORY_BYTES: Final = 3 * 1024 * 1024 * 1024
READER_CPU_S: Final = 60
READER_WALL_S: Final = 90
"""Of the process that reads one upload for the API: `MAX_VERTICES` take 10-15 s and 900 MB."""

READER_OUTPUT_BYTES: Final = 128 * 1024 * 1024
"""What that process may answer: every vertex twice (as drawn, as repaired) at 60 bytes, and findings."""

MAX_EDGE_M: Final = 1_000.0
"""Longest edge, in a projected system, that is converted by its ends alone. A straight edge of L metres
there bends by up to L^2 tan(lat) / 8R in lon/lat: 1.6 cm at 1 km and 40 degrees, but 1.6 m at 10 km."""

WARN_ACCURACY_M: Final = 5.0
"""A conversion to WGS 84 known to be worse than this is a warning; the usual one from NAD83 states 4 m."""
