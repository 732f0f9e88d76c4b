"""Model cards and the data card of a run folder, in the layout of the Hugging Face Hub."""
