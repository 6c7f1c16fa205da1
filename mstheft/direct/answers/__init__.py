"""Answers: their noise, how they are read, where they tell most, and which errors they explain."""
