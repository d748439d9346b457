"""What a new voice says first: two short sentences a language, our own words."""

from __future__ import annotations

SENTENCES = {
    "chinese": ("今天的天气很好，我们出去走走吧。", "你好，这是我的新声音。"),
    "english": ("Good morning, how did you sleep?", "This voice was made from a few recordings."),
    "french": ("Bonjour, avez-vous bien dormi ?", "Cette voix vient de quelques enregistrements."),
    "german": ("Guten Morgen, haben Sie gut geschlafen?", "Diese Stimme stammt aus wenigen Aufnahmen."),
    "italian": ("Buongiorno, ha dormito bene?", "Questa voce nasce da poche registrazioni."),
    "japanese": ("おはようございます。よく眠れましたか。", "これは私の新しい声です。"),
    "korean": ("안녕하세요, 잘 주무셨어요?", "이것은 저의 새 목소리입니다."),
    "portuguese": ("Bom dia, dormiu bem?", "Esta voz veio de poucas gravações."),
    "russian": ("Доброе утро, как вам спалось?", "Этот голос сделан из нескольких записей."),
    "spanish": ("Buenos días, ¿ha dormido bien?", "Esta voz nació de unas pocas grabaciones."),
}
SENTENCES["auto"] = SENTENCES["english"]
