"""Push the models in some folders to the Hub: hub_push.py FOLDER NAME [FOLDER NAME ...]"""

import sys

from modeling_derender import DerenderForConditionalGeneration, DerenderProcessor


for folder, name in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    DerenderForConditionalGeneration.from_pretrained(folder).push_to_hub(name)
    DerenderProcessor.from_pretrained(folder).push_to_hub(name)
