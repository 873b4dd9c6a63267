"""What editors ask while somebody writes a pack; `server` speaks to them."""
