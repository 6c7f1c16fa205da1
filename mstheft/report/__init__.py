"""What an attack found, for people: tables, pictures, a page, the tour."""
