"""Seeing: what the pixels of a photo show: paper, ink, print, lines, cells, words; nothing is read yet."""
