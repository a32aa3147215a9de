"""What Transformers calls the cache in arguments and outputs: `cache` since 5.24, before it `past_key_values`."""

from dataclasses import fields

from transformers.modeling_outputs import Seq2SeqLMOutput


CACHE = next(field.name for field in fields(Seq2SeqLMOutput) if field.name in ("cache", "past_key_values"))
