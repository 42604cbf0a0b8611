"""Why a score is what it is: points per measure and per piece of evidence."""
