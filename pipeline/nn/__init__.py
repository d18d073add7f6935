"""Neural networks from scratch, on NumPy alone.

Read in this order: `layers` (one step forward, one step backward), `losses`, `initializers`, `network` (layers in a row),
`optimizers`, `batches`, `training` (the loop), then `convolution`. `gradient_check` shows that the derivations are right,
`parallel` holds what makes training fast, `checkpoint` what makes it safe, `diagnostics` what the figures show.
"""
