"""Sentences spoken while a voice is trained: how they measure, and whether the voice drifts away from its speaker."""
