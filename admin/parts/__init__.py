"""What generated screens are put together from: columns, values written for people, inputs, filters, steps, hints."""
