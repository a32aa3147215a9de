"""Language folders: one that could not be imported is imported anew once it is mended; exports for grey pictures."""

import pytest
from toy_folder import write_toy_folder

from datasets_scripts import load_language_folder


def test_a_folder_that_failed_is_imported_anew(tmp_path):
    folder = write_toy_folder(tmp_path)
    code = (folder / "__init__.py").read_text()
    (folder / "__init__.py").write_text("PIXELS = 32\nraise RuntimeError('half of it')\n")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="half of it"):
            load_language_folder(str(folder))
    (folder / "__init__.py").write_text(code)
    assert load_language_folder(str(folder)).LANGUAGE.name


@pytest.mark.parametrize("export", ['IMAGE_REWARD = "blurred"', "add_image_noise = render_batch"])
def test_what_is_for_grey_pictures_is_refused_for_others(tmp_path, export):
    for name, channels in (("grey", 1), ("colour", 3)):
        code = write_toy_folder(tmp_path / name) / "__init__.py"
        text = code.read_text().replace('"channels": 1', f'"channels": {channels}')
        code.write_text(f"{text}\n\n{export}\n")
    load_language_folder(str(tmp_path / "grey" / "toy"))
    with pytest.raises(ValueError, match=f"{export.split()[0]}.* is for grey pictures, and its have 3 channels"):
        load_language_folder(str(tmp_path / "colour" / "toy"))
