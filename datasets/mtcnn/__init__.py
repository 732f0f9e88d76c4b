"""MTCNN's three networks, driven over photos of any size."""
