"""The API's description (OpenAPI 3.1): made for a network and a set of levels, and naming only what those may see."""
