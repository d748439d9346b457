"""From recordings to a voice: ingest, transcribe, fine-tune Qwen3-TTS, listen, share."""

__version__ = "0.1.0"
