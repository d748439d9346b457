"""Qwen3-TTS, 12 Hz: model, codes, inputs, losses, finetune, assemble, synthesis, and a toy of the real classes."""

from voicefactory.engines.qwen3_tts.engine import ENGINE

__all__ = ["ENGINE"]
