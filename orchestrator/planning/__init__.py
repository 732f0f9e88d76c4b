"""What a run will take, before it is run: rows, hours, memory, places."""
