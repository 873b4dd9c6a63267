"""The manual of a network: what its definitions say, in words and pictures, for its leader and its members."""
