"""Decode, resample, level, find speech, measure quality."""
