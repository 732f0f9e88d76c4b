"""What is tried: named conditions, the factorial, and the grid handed to Ray Tune and Optuna."""
