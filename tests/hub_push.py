"""Push models to the Hub: hub_push.py [FOLDER NAME ...], or one folder as it is: hub_push.py --folder FOLDER NAME"""

import sys

from huggingface_hub import HfApi

from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor


if sys.argv[1] == "--folder":
    folder, name = sys.argv[2:]
    HfApi().create_repo(name)
    HfApi().upload_folder(repo_id=name, folder_path=folder)
    sys.exit()
for folder, name in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    DerenderForConditionalGeneration.from_pretrained(folder).push_to_hub(name)
    DerenderProcessor.from_pretrained(folder).push_to_hub(name)
