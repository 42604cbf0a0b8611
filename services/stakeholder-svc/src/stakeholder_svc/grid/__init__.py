"""The 5P grid."""
