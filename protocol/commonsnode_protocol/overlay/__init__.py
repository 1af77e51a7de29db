"""Who passes on what to whom among thousands of nodes of one community.  SPEC.md, "Overlay"."""
