"""Questions as people put them: what, near which place, within how far, from when until when; and their answers."""
