"""The forms in which a reading is handed out: JSON, text, a picture, and what the language's folder exports."""

from __future__ import annotations

import json

from PIL import Image

from derender.reader import Reader, Reading
from derender_training.figures import png_of
from modeling_derender.serialization import to_text


WORDS = ("json", "text")  # that need nothing drawn
ENDINGS = {"json": ".json", "text": ".txt", "tikz": ".tex", "svg": ".svg", "png": ".png"}


class FormError(ValueError):
    """A form that this model's readings cannot be handed out in; the message says why."""


def forms_of(reader: Reader) -> list[str]:
    """The names of the forms that exist for the reader's language, whether or not its data are there."""
    return [*WORDS, "png", *sorted(getattr(reader.folder, "EXPORTERS", {}))]


def usable_forms(reader: Reader) -> list[str]:
    """Those that readings can have here."""
    return [form for form in forms_of(reader) if form in WORDS or reader.draw is not None]


def ending_of(form: str) -> str:
    return ENDINGS.get(form, f".{form}")


def check_form(reader: Reader, form: str) -> None:
    """Raise FormError where readings cannot have this form."""
    known = forms_of(reader)
    if form not in known:
        raise FormError(f"--to {form}: {reader.language.name} has no such form; known: {', '.join(known)}")
    if form not in WORDS:
        check_drawing(reader, f"--to {form}")


def check_drawing(reader: Reader, option: str) -> None:
    """Raise FormError where nothing draws what the option asks for."""
    if reader.draw is None:
        reason = "needs the language's own files: name their folder by --data_dir"
        if reader.folder is None:
            reason = "needs the folder of this language, of which only the model is here"
        raise FormError(f"{option}: drawing {reader.language.name} {reason}")


def as_form(reader: Reader, reading: Reading, form: str, name: str) -> bytes:
    """The reading of the picture `name`; FormError as `check_form`."""
    check_form(reader, form)
    if form == "json":
        return f"{json.dumps(as_json_object(reader, reading, name))}\n".encode()
    if form == "text":
        return f"{to_text(reader.language, reading.objects)}\n".encode()
    if form == "png":
        return png_of(Image.fromarray(reader.draw_again(reading.objects)))
    return reader.folder.EXPORTERS[form](reading.objects, **reader.data).encode()


def as_json_object(reader: Reader, reading: Reading, name: str) -> dict:
    """The picture's name, the language, the objects, a confidence each, and the error of `Reading`."""
    return {
        "file_name": name,
        "language": reader.language.name,
        "objects": reading.objects,
        "confidences": [None if sure is None else round(sure, 4) for sure in reading.confidences],
        "error": None if reading.error is None else round(reading.error, 6),
    }
