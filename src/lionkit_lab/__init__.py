"""Experiments with lionkit: recipes, training with logging epochs, records and reports."""
