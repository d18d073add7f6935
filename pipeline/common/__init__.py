"""What all packages share: errors, checks of options, files and arrays, paths, metrics, pixels."""
