"""What a momentum of fewer bits costs in loss."""
