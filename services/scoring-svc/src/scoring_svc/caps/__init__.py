"""Hard rules that cap a score, whatever the measures say."""
