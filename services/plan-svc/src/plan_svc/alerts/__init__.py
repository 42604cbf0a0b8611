"""What plays follow from alerts."""
