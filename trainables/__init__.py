"""What one trial does: model, attention, losses, stages, the training loop and its Ray worker."""
