"""The outcome of an attack for people to read: tables, pictures, a page, the tour."""
