"""What the photos can prove, before anything is trained on them: copies, conflicts, leaks, ceilings, shortcuts."""
