"""Run by its path in a process of its own: load a voice with nothing but qwen-tts, and speak.

    python -I clean_process.py VOICE_DIR SPEAKER LANGUAGE MAX_FRAMES OUT.wav < TEXT

It imports no part of VoiceFactory. What is between the marked lines is what a person types; the rest makes
torchaudio importable beside a CPU build of torch and keeps an untrained voice from talking forever.
"""

import json
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    voice_dir, speaker, language, max_frames, out = sys.argv[1:]
    text = sys.stdin.read()
    reference = Path(voice_dir, "reference", "reference.wav")
    if reference.exists():
        said = json.loads(reference.with_suffix(".json").read_text(encoding="utf-8"))["text"]
        imitated = {"ref_text": said} if said else {"x_vector_only_mode": True}
    runpy.run_path(str(Path(__file__).with_name("compat.py")))["make_torchaudio_importable"]()

    # --- what a person types
    import soundfile
    from qwen_tts import Qwen3TTSModel

    voice = Qwen3TTSModel.from_pretrained(voice_dir)
    if reference.exists():  # a voice without training
        waves, rate = voice.generate_voice_clone(
            text=text, language=language, ref_audio=str(reference), non_streaming_mode=True,
            max_new_tokens=int(max_frames), **imitated,
        )  # fmt: skip
    else:
        waves, rate = voice.generate_custom_voice(
            text=text, speaker=speaker, language=language, max_new_tokens=int(max_frames)
        )
    soundfile.write(out, waves[0], rate)
    # ---

    assert not any(name.split(".")[0] == "voicefactory" for name in sys.modules)
    if len(waves[0]) == 0:
        sys.exit("the voice said nothing")
