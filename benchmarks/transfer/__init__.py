"""Whether the theory's transfer of settings to longer runs and wider models holds up."""
