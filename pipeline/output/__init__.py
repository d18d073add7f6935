"""Output: what is made of a page that was read. Formats, pictures, scores."""
