"""Pictures made safe before a community sees them."""
