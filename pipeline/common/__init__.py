"""What every part of the project shares: errors, checks of options, files and arrays written whole, where things are, metrics."""
