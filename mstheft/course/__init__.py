"""Runs the course: finds its files, checks a learner's functions, explains wrong answers, grades.

The texts of exercises are in `tutorials/`, the sentences of feedback in `messages.toml`.
"""
