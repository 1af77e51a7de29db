"""What nodes say to each other and how they agree: pure functions and state machines (SPEC.md)."""
