"""`stayaway demo`: a day of plate reads through real parts, started and stopped by one command."""
