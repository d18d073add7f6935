"""Output: a page that was read as files of several formats, as a picture, and its score."""
