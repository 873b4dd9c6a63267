"""What operators ask of a server: whether it lives and can serve, its figures, and that it ends without a failure."""
