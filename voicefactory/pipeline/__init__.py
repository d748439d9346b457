"""One file an arrow.

ingest → segment → transcribe → reference → extract → finetune → synthesize → package → publish
"""
