"""Evidence on a whole tenant: a file's history replayed, and what is on record compared with deriving it anew."""
