"""Push models to the Hub: hub_push.py FOLDER NAME ...; the first one's folder as it is, the others as models."""

import sys

from huggingface_hub import HfApi

from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor


(folder, name), *others = zip(sys.argv[1::2], sys.argv[2::2], strict=True)
HfApi().create_repo(name)
HfApi().upload_folder(repo_id=name, folder_path=folder)
for folder, name in others:
    DerenderForConditionalGeneration.from_pretrained(folder).push_to_hub(name)
    DerenderProcessor.from_pretrained(folder).push_to_hub(name)
