"""Load models where the package is not installed, and print what they make of a picture: hub_load.py PICTURE NAME ...

A line of JSON for each: the classes that the Auto classes found, logits and tokens, and what the pipeline says.
"""

import json
import sys


PACKAGES = ("modeling_derender", "datasets_scripts", "derender_training")
for name in PACKAGES:
    sys.modules[name] = None  # an import of it fails

import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402


AUTO = (
    "AutoConfig",
    "AutoImageProcessor",
    "AutoProcessor",
    "AutoTokenizer",
    "AutoModel",
    "AutoModelForImageTextToText",
)

picture = Image.open(sys.argv[1])
for name in sys.argv[2:]:
    parts = {auto: getattr(transformers, auto).from_pretrained(name, trust_remote_code=True) for auto in AUTO}
    inputs = parts["AutoProcessor"](images=picture)
    model = parts["AutoModelForImageTextToText"]
    with torch.no_grad():
        logits = model(**inputs, decoder_input_ids=torch.tensor([[parts["AutoConfig"].bos_token_id]])).logits
    tokens = model.generate(**inputs)[0].tolist()
    pipe = transformers.pipeline("image-to-spec", model=name, trust_remote_code=True)
    pairs = zip(model.parameters(), parts["AutoModel"].parameters(), strict=True)
    result = {
        "classes": {auto: type(part).__name__ for auto, part in parts.items()},
        "same": all(torch.equal(*pair) for pair in pairs),
        "logits": logits.flatten().tolist(),
        "tokens": tokens,
        "words": parts["AutoTokenizer"].convert_ids_to_tokens(tokens),
        "pipeline": pipe(sys.argv[1]),
    }
    print(json.dumps(result))
