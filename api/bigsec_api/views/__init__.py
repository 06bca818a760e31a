"""What pages are made of: words, visible text, times, and the frame around every page."""
