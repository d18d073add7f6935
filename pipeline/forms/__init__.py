"""Forms: a blank and its fields, found on a photo and read field by field."""
