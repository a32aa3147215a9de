"""Language folders: one that could not be imported is imported anew once it is mended."""

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
