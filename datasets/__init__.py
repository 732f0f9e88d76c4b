"""What a photo becomes: sources, splits, face crops, Parquet shards, arrays to train on."""
