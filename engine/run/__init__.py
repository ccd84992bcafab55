"""Carries out programs, and tells what they did."""
