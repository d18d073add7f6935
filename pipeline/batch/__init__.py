"""Batch: files and folders of pages, read by one process or several, with a record for each page."""
