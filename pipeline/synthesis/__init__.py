"""Synthesis: all that is rendered. Hands, ink, characters, and photos of pages with them."""
