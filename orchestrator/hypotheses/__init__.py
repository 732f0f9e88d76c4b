"""What a study sets out to show, written down before it is trained, and what its runs say of it."""
