"""Runs the course: finds its files, checks a learner's functions, explains wrong answers, grades.

It holds no text of any exercise: that stands in `tutorials/`, sentences in `messages.toml`.
"""
