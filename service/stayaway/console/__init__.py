"""Server-rendered pages for people who review alerts; they work without JavaScript too."""
