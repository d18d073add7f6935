"""Batch: files and folders of pages, read page by page by one process or many, and what becomes of each."""
