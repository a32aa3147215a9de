"""The tokenizer of a language: its token words, split at white space; no code of ours is needed to load it."""

from __future__ import annotations

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from .language import Language


def build_tokenizer(language: Language, model_max_length: int | None = None) -> PreTrainedTokenizerFast:
    """A fast tokenizer whose ids are the language's token ids; a text is one object a line, or spaces throughout.

    `tokenizer(text)` adds both ends. A word outside the language raises (there is no unknown token).
    """
    tokenizer = Tokenizer(models.WordLevel(language.token_ids))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    bos, eos = language.bos_token, language.eos_token
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, language.bos_token_id), (eos, language.eos_token_id)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=language.pad_token,
        bos_token=bos,
        eos_token=eos,
        mask_token=language.mask_token,
        model_max_length=model_max_length,
        clean_up_tokenization_spaces=False,
    )
