"""Published numbers, one JSON file per paper."""
