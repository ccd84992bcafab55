"""What readers take home, made from the rendered page."""
