"""What cropping found, photo by photo, and the photos to look at."""
