"""The model: its shapes, its loss, its cache, its initialisation, and what it refuses."""

import math
import pickle

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from tiny import DECODERS as DECODER_OPTIONS
from tiny import LSTM, tiny_labels, tiny_model, tiny_pictures
from torch.nn import functional as F
from toy_language import LANGUAGE
from transformers.cache_utils import Cache, EncoderDecoderCache

from derender_training.unused_parameters import freeze_unused
from modeling_derender.cache_name import CACHE
from modeling_derender.checkpoint import load_checkpoint
from modeling_derender.configuration_derender import CHOICES, DerenderConfig
from modeling_derender.decoder_transformer import SinusoidalPositions
from modeling_derender.grammar import Grammar, SpecificationGrammar
from modeling_derender.modeling_derender import DerenderForConditionalGeneration
from modeling_derender.specification import ids_to_objects, is_valid


VARIANTS = [
    {"norm_position": norm, "position_encoding": positions}
    for norm in CHOICES["norm_position"]
    for positions in CHOICES["position_encoding"]
] + DECODER_OPTIONS[1:]
every_decoder = pytest.mark.parametrize("options", DECODER_OPTIONS, ids=str)


def forced_logits(model, pictures, tokens):
    with torch.no_grad():
        return model(pixel_values=pictures, decoder_input_ids=tokens, use_cache=False).logits


# Initial embeddings


def test_sinusoidal_numbers_begin_near_their_neighbours():
    config = {"number_embeddings": "sinusoidal", "tie_word_embeddings": True, "d_model": 64}
    model, random = (tiny_model(**{**config, "number_embeddings": kind}) for kind in ("sinusoidal", "random"))
    numbers = [LANGUAGE.token_ids[str(number)] for number in range(8)]
    table = model.get_input_embeddings().weight
    likeness = (table @ table.T / table.square().sum(1).mean())[numbers][:, numbers]
    near, far = likeness.diagonal(1).mean(), likeness.diagonal(5).mean()
    assert near > far + 0.1
    assert model.lm_head.weight is table
    scale = table.std() / random.get_input_embeddings().weight.std()
    assert 0.9 < scale < 1.1


def test_sinusoidal_numbers_leave_other_words_alone():
    model, random = (tiny_model(number_embeddings=kind) for kind in ("sinusoidal", "random"))
    differs = (model.get_input_embeddings().weight != random.get_input_embeddings().weight).any(1).nonzero().flatten()
    assert {LANGUAGE.vocabulary[index] for index in differs} == {str(number) for number in range(8)}


def test_numbers_keep_their_trained_embeddings(tmp_path):
    model = tiny_model(number_embeddings="sinusoidal")
    model.get_input_embeddings().weight.data.normal_()
    model.save_pretrained(tmp_path)
    loaded = DerenderForConditionalGeneration.from_pretrained(tmp_path)
    assert torch.equal(loaded.get_input_embeddings().weight, model.get_input_embeddings().weight)


@pytest.mark.parametrize("backbone", ["resnet18", "coatnet_pico_rw_224"])
def test_a_backbone_is_loaded_as_it_was_saved(backbone, tmp_path):
    # The second has relative positions: parameters beside a buffer that is never saved.
    model = tiny_model(backbone=backbone, backbone_stride=32, image_size=(224, 224))
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.add_(0.01)
        for name, tensor in model.named_parameters():
            if "relative_position" in name:
                tensor.normal_()  # so large that the features tell where each is looked up
    model.save_pretrained(tmp_path)
    loaded, pictures = load_checkpoint(tmp_path), tiny_pictures(1, 224, 224)
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    with torch.no_grad():
        # Kernels round by where in memory the weights lie; positions looked up elsewhere differ by 0.2.
        torch.testing.assert_close(loaded.encoder(pictures)[0], model.encoder(pictures)[0], rtol=0, atol=2e-3)


@pytest.mark.parametrize("backbone, is_whole", [("resnet18", True), ("test_efficientnet", False)])
def test_what_the_feature_map_does_not_depend_on_is_frozen(backbone, is_whole):
    model = tiny_model(backbone=backbone, image_size=(32, 32)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    freeze_unused(model)
    assert model.encoder.backbone.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    model(pixel_values=tiny_pictures(), labels=tiny_labels()).loss.backward()
    assert all((parameter.grad is not None) == parameter.requires_grad for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters()) == is_whole


# Shapes, the loss and what the logits depend on


@pytest.mark.parametrize("stride", CHOICES["backbone_stride"])
def test_the_backbone_is_cut_at_its_stride(stride):
    model = tiny_model(backbone_stride=stride, feature_positions="2d")
    with torch.no_grad():
        features = model.encoder(tiny_pictures(2, 96, 64)).last_hidden_state
    assert features.shape == (2, (96 // stride) * (64 // stride), 32)
    stages = {name.split(".")[0] for name, _ in model.encoder.backbone.network.named_parameters()}
    assert {name for name in stages if name.startswith("layer")} == {
        f"layer{stage}" for stage in range(1, int(math.log2(stride)))
    }


@every_decoder
def test_the_loss_is_the_mean_cross_entropy_of_the_labels_that_count(options):
    model, pictures, labels = tiny_model(**options), tiny_pictures(), tiny_labels()
    output = model(pixel_values=pictures, labels=labels)
    assert output.logits.shape == (3, 9, LANGUAGE.vocab_size)
    assert CACHE not in output
    inputs = torch.cat((torch.full((3, 1), LANGUAGE.bos_token_id), labels[:, :-1]), dim=1).clamp(min=0)
    log_probabilities = forced_logits(model, pictures, inputs).log_softmax(-1)
    counted = [log_probabilities[b, t, labels[b, t]] for b in range(3) for t in range(9) if labels[b, t] != -100]
    assert len(counted) == 25
    torch.testing.assert_close(output.loss, -torch.stack(counted).mean())


@every_decoder
def test_padding_on_the_right_changes_nothing(options):
    model, pictures, labels = tiny_model(**options), tiny_pictures(), tiny_labels()
    padded = F.pad(labels, (0, 5), value=-100)
    short, long = (model(pixel_values=pictures, labels=item) for item in (labels, padded))
    torch.testing.assert_close(short.loss, long.loss)
    torch.testing.assert_close(short.logits, long.logits[:, :9])


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@every_decoder
def test_no_position_sees_a_later_one_or_a_masked_one(options, attention):
    model, pictures, tokens = tiny_model(attention, **options), tiny_pictures(), tiny_labels().clamp(min=0)
    changed = tokens.clone()
    changed[:, 5] = (changed[:, 5] + 1) % LANGUAGE.vocab_size
    logits, other = forced_logits(model, pictures, tokens), forced_logits(model, pictures, changed)
    torch.testing.assert_close(logits[:, :5], other[:, :5])
    assert not torch.allclose(logits[:, 5:], other[:, 5:])
    mask = torch.ones_like(tokens).index_fill(1, torch.tensor([5]), 0)
    with torch.no_grad():
        masked = [
            model(pixel_values=pictures, decoder_input_ids=item, decoder_attention_mask=mask).logits
            for item in (tokens, changed)
        ]
    torch.testing.assert_close(masked[0][:, 6:], masked[1][:, 6:])
    assert not torch.allclose(logits[:, 6:], masked[0][:, 6:])


@every_decoder
def test_the_logits_depend_on_each_picture_alone(options):
    model, pictures, tokens = tiny_model(**options), tiny_pictures(), tiny_labels()[:1].expand(3, -1)
    together = forced_logits(model, pictures, tokens)
    torch.testing.assert_close(together[1:2], forced_logits(model, pictures[1:2], tokens[:1]), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[1])


@pytest.mark.parametrize("height, width", [(48, 80), (40, 24)])
def test_other_sizes_and_memory_formats(height, width):
    model, pictures, labels = tiny_model(feature_positions="2d"), tiny_pictures(3, height, width), tiny_labels()
    plain = model(pixel_values=pictures, labels=labels).loss
    model.to(memory_format=torch.channels_last)
    last = model(pixel_values=pictures.to(memory_format=torch.channels_last), labels=labels).loss
    torch.testing.assert_close(plain, last, rtol=1e-4, atol=1e-5)


@every_decoder
def test_dropout_only_while_training(options):
    model, pictures, labels = tiny_model(**options, dropout=0.3), tiny_pictures(), tiny_labels()
    assert model(pixel_values=pictures, labels=labels).loss == model(pixel_values=pictures, labels=labels).loss
    features = model.encoder(pictures)
    model.decoder.train()
    losses = [model(encoder_outputs=features, labels=labels).loss for _ in range(2)]
    assert losses[0] != losses[1]


# Test-time augmentation


def test_augmentation_is_the_mean_of_five_pictures_a_pixel_apart():
    """Of those, here moved by hand: what lies inside moves, and the edge is repeated."""
    model, pictures = tiny_model(feature_positions="2d"), tiny_pictures()
    with torch.no_grad():
        plain = model.encoder(pictures)[0]
        rows = {step: (torch.arange(32) + step).clamp(0, 31) for step in (-1, 0, 1)}
        steps = [(0, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]
        moved = [model.encoder(pictures[..., rows[down], :][..., rows[right]])[0] for down, right in steps]
        model.config.test_time_augmentation = True
        found = model.encoder(pictures)[0]
    torch.testing.assert_close(found, torch.stack(moved).mean(dim=0), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, plain, atol=1e-3)


@every_decoder
def test_augmentation_is_for_reading_alone_and_travels_with_the_model(options, tmp_path):
    model, plain = (tiny_model(**options, dropout=0.0) for _ in range(2))
    pictures, labels = tiny_pictures(), tiny_labels()
    model.config.test_time_augmentation = True
    assert model(pixel_values=pictures, labels=labels).loss != plain(pixel_values=pictures, labels=labels).loss
    losses = [item.train()(pixel_values=pictures, labels=labels).loss for item in (model, plain)]
    assert losses[0] == losses[1]
    model.save_pretrained(tmp_path)
    assert DerenderForConditionalGeneration.from_pretrained(tmp_path).config.test_time_augmentation
    off = DerenderForConditionalGeneration.from_pretrained(tmp_path, test_time_augmentation=False).encoder
    assert off.config.test_time_augmentation is False


# Positions


def test_sinusoidal_positions_are_equation_8_also_beyond_their_table():
    expected = torch.tensor(
        [
            [(math.sin, math.cos)[d % 2](position / 10000 ** ((d - d % 2) / 8)) for d in range(8)]
            for position in range(12)
        ]
    )
    positions = SinusoidalPositions(5, 8)
    torch.testing.assert_close(positions.table, expected[:5])
    torch.testing.assert_close(positions(2, 3), expected[2:5])
    torch.testing.assert_close(positions(3, 9), expected[3:])


def test_feature_positions_tell_rows_from_columns():
    with_positions, without = tiny_model(feature_positions="2d"), tiny_model(feature_positions="none")
    pictures = tiny_pictures(1, 24, 40)
    with torch.no_grad():
        added = with_positions.encoder(pictures)[0] - without.encoder(pictures)[0]
    grid = added.view(3, 5, 32)
    table = SinusoidalPositions(5, 16).table
    for row in range(3):
        for column in range(5):
            expected = torch.cat((table[row], table[column]))
            torch.testing.assert_close(grid[row, column], expected, rtol=1e-4, atol=1e-5)


# The cache, and generation


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("options", VARIANTS)
def test_cached_logits_equal_teacher_forced_ones(options, attention):
    model, pictures, tokens = tiny_model(attention, **options), tiny_pictures(), tiny_labels(length=20).clamp(min=0)
    forced = forced_logits(model, pictures, tokens)  # longer than the table of positions
    for pieces in ([1] * 20, [7, 1, 9, 3]):
        cache, steps = None, []
        for piece in tokens.split(pieces, dim=1):
            with torch.no_grad():
                output = model(pixel_values=pictures, decoder_input_ids=piece, cache=cache, use_cache=True)
            cache = output[CACHE]
            steps.append(output.logits)
        torch.testing.assert_close(torch.cat(steps, dim=1), forced, rtol=0, atol=1e-4)


@pytest.mark.parametrize("use_grammar", [True, False])
@every_decoder
def test_greedy_generation_is_the_plain_argmax_loop(options, use_grammar):
    model, pictures = tiny_model(**options), tiny_pictures(8)
    grammar = SpecificationGrammar(Grammar(LANGUAGE), 14)
    tokens = torch.full((8, 1), LANGUAGE.bos_token_id)
    ended = torch.zeros(8, dtype=torch.bool)
    while tokens.shape[1] < 14 and not ended.all():
        scores = forced_logits(model, pictures, tokens)[:, -1]
        best = (grammar(tokens, scores) if use_grammar else scores).argmax(-1)
        tokens = torch.cat((tokens, best.masked_fill(ended, LANGUAGE.pad_token_id)[:, None]), dim=1)
        ended |= best == LANGUAGE.eos_token_id
    assert torch.equal(model.generate(pixel_values=pictures, use_grammar=use_grammar), tokens)
    assert torch.equal(model.generate(pixel_values=pictures, use_grammar=use_grammar, use_cache=False), tokens)


@every_decoder
def test_beams_are_reordered_with_their_cache(options, monkeypatch):
    model, pictures = tiny_model(**options), tiny_pictures(6)
    beams = {"num_beams": 4, "num_return_sequences": 3, "use_grammar": False}
    with_cache = model.generate(pixel_values=pictures, **beams)
    assert torch.equal(with_cache, model.generate(pixel_values=pictures, use_cache=False, **beams))
    for kind in (EncoderDecoderCache, Cache):
        monkeypatch.setattr(kind, "reorder_cache", lambda self, beam_idx: None)
    assert not torch.equal(with_cache, model.generate(pixel_values=pictures, **beams)), "the test sees no reorder"


def test_samples_of_one_picture_stand_together_and_the_image_is_read_once():
    model, pictures = tiny_model(), tiny_pictures(2)
    calls = []
    for module in (model.encoder, *(layer.cross_attention.kv_proj for layer in model.decoder.layers)):
        module.register_forward_hook(lambda module, *_: calls.append(module))
    torch.manual_seed(3)
    sequences = model.generate(pixel_values=pictures, do_sample=True, top_k=0, num_return_sequences=5)
    assert sequences.shape[0] == 10 and len({tuple(row) for row in sequences.tolist()}) > 5
    assert len(calls) == 1 + 2
    output = model.generate(
        pixel_values=pictures, num_beams=3, num_return_sequences=3, return_dict_in_generate=True, output_scores=True
    )
    best = output.sequences_scores.view(2, 3)
    assert torch.equal(best, best.sort(dim=1, descending=True).values)


@pytest.mark.parametrize(
    "how",
    [
        {}, {"max_length": 9}, {"max_new_tokens": 8}, {"num_beams": 4, "max_length": 6},
        {"do_sample": True, "top_k": 0, "num_beams": 2}, {"do_sample": True, "top_k": 0, "num_return_sequences": 4},
    ],
)  # fmt: skip
@every_decoder
def test_every_output_is_a_closed_valid_specification(options, how):
    torch.manual_seed(3)
    sequences = tiny_model(**options).generate(pixel_values=tiny_pictures(8), **how)
    assert sequences.shape[1] <= how.get("max_length", how.get("max_new_tokens", 13) + 1)
    for row in sequences.tolist():
        assert LANGUAGE.eos_token_id in row
        assert is_valid(LANGUAGE, ids_to_objects(LANGUAGE, row))


@pytest.mark.parametrize("options", [{"min_length": 5}, {"min_new_tokens": 5}])
def test_no_least_length_under_the_grammar(options):
    model = tiny_model()
    with pytest.raises(ValueError, match="min_length, min_new_tokens: the grammar"):
        model.generate(pixel_values=tiny_pictures(), **options)
    assert model.generate(pixel_values=tiny_pictures(), use_grammar=False, **options).shape[1] >= 5


def test_the_grammar_comes_before_every_other_processor():
    model = tiny_model()
    lists = []
    original = model._get_logits_processor
    model._get_logits_processor = lambda **kwargs: lists.append(original(**kwargs)) or lists[-1]
    model.generate(pixel_values=tiny_pictures(1), do_sample=True, top_k=5, temperature=0.5, max_length=8)
    model.generate(pixel_values=tiny_pictures(1), do_sample=True, top_k=5, use_grammar=False)
    assert isinstance(lists[0][0], SpecificationGrammar) and lists[0][0].max_length == 8 and len(lists[0]) == 3
    assert not any(isinstance(item, SpecificationGrammar) for item in lists[1])


def test_the_length_holds_without_a_generation_config(tmp_path):
    tiny_model(max_specification_length=30).save_pretrained(tmp_path)
    (tmp_path / "generation_config.json").unlink()
    model = DerenderForConditionalGeneration.from_pretrained(tmp_path)
    sequences = model.generate(pixel_values=tiny_pictures(1), use_grammar=False, eos_token_id=LANGUAGE.vocab_size)
    assert sequences.shape == (1, 30)


def test_a_model_without_a_language_says_so():
    model = DerenderForConditionalGeneration(DerenderConfig(vocab_size=9, backbone_stride=8)).eval()
    with pytest.raises(ValueError, match="language: the config has none"):
        model.generate(pixel_values=tiny_pictures(1))
    assert model.generate(pixel_values=tiny_pictures(1), use_grammar=False, max_length=3).shape[1] <= 3
    with pytest.raises(ValueError, match="vocab_size"):
        DerenderForConditionalGeneration(DerenderConfig())


# Attention


def test_eager_attention_equals_sdpa_and_shows_its_weights():
    pictures, labels = tiny_pictures(), tiny_labels()
    sdpa, eager = tiny_model("sdpa"), tiny_model("eager")
    plain, seen = sdpa(pictures, labels=labels), eager(pictures, labels=labels, output_attentions=True)
    torch.testing.assert_close(plain.logits, seen.logits, rtol=1e-4, atol=1e-5)
    assert [item.shape for item in seen.cross_attentions] == [(3, 4, 9, 16)] * 2
    assert [item.shape for item in seen.decoder_attentions] == [(3, 4, 9, 9)] * 2
    assert seen.decoder_attentions[0].triu(1).abs().max() == 0
    for weights in (*seen.cross_attentions, *seen.decoder_attentions):
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    with pytest.raises(ValueError, match="output_attentions.*eager"):
        sdpa(pictures, labels=labels, output_attentions=True)


@pytest.mark.parametrize("options", [*({"norm_position": norm} for norm in CHOICES["norm_position"]), LSTM], ids=str)
def test_hidden_states_of_every_layer(options):
    model, pictures, labels = tiny_model(**options), tiny_pictures(), tiny_labels()
    output = model(pixel_values=pictures, labels=labels, output_hidden_states=True)
    assert [item.shape for item in output.decoder_hidden_states] == [(3, 9, 32)] * (2 if options == LSTM else 3)
    assert torch.equal(model.lm_head(output.decoder_hidden_states[-1]), output.logits)
    assert [torch.equal(item, output.encoder_last_hidden_state) for item in output.encoder_hidden_states] == [True]
    plain = model(pixel_values=pictures, labels=labels)
    assert plain.decoder_hidden_states is None and plain.encoder_hidden_states is None
    assert torch.equal(plain.logits, output.logits)
    features = (output.encoder_last_hidden_state,)
    of_features = model(encoder_outputs=features, labels=labels, output_hidden_states=True)
    assert of_features.encoder_hidden_states is None and len(of_features.decoder_hidden_states) > 1
    assert torch.allclose(of_features.logits, output.logits, atol=1e-6)


@pytest.mark.parametrize("beams", [1, 2])
@every_decoder
def test_generation_shows_hidden_states(options, beams):
    model = tiny_model(**options)
    output = model.generate(
        pixel_values=tiny_pictures(2), num_beams=beams, output_hidden_states=True, return_dict_in_generate=True
    )
    assert [item.shape for item in output.encoder_hidden_states] == [(2, 16, 32)]
    for step in output.decoder_hidden_states:
        assert [item.shape for item in step] == [(2 * beams, 1, 32)] * (2 if options["decoder_type"] == "lstm" else 3)


# Initialisation, saving and loading


def test_the_initialisation_of_timm_survives(monkeypatch):
    asked = []
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda *args, **kwargs: asked.append(kwargs) or create(*args, **kwargs))
    model = tiny_model()
    torch.manual_seed(0)
    alone = create("resnet18", features_only=True, out_indices=(2,), in_chans=1).state_dict()
    ours = model.encoder.backbone.network.state_dict()
    assert alone.keys() == ours.keys() and all(torch.equal(alone[name], ours[name]) for name in alone)
    assert [item["pretrained"] for item in asked] == [False]


def test_pretrained_weights_come_only_when_asked_for(monkeypatch, tmp_path):
    asked = []
    create = timm.create_model

    def create_offline(*args, pretrained=False, **kwargs):
        asked.append(pretrained)
        network = create(*args, **kwargs)
        if pretrained:
            torch.nn.init.constant_(network.conv1.weight, 0.5)
        return network

    monkeypatch.setattr(timm, "create_model", create_offline)
    model = tiny_model()
    model.encoder.backbone.load_pretrained_weights()
    assert asked == [False, True]
    assert model.encoder.backbone.network.conv1.weight.unique().tolist() == [0.5]
    model.save_pretrained(tmp_path)
    loaded = DerenderForConditionalGeneration.from_pretrained(tmp_path)
    assert asked == [False, True, False]
    assert loaded.encoder.backbone.network.conv1.weight.unique().tolist() == [0.5]


@pytest.mark.parametrize("options", [*VARIANTS, {"tie_word_embeddings": True}])
def test_a_model_saved_and_loaded_is_the_same(options, tmp_path):
    model = tiny_model(**options)
    with torch.no_grad():  # statistics that differ from those of a new model
        model.train()(pixel_values=tiny_pictures(8), labels=tiny_labels(8))
    model.eval().save_pretrained(tmp_path)
    loaded, report = DerenderForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values())
    assert loaded.config.to_dict() | {"_name_or_path": ""} == model.config.to_dict() | {"_name_or_path": ""}
    state = model.state_dict()
    assert state.keys() == loaded.state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in loaded.state_dict().items())
    buffers = dict(loaded.named_buffers())
    assert all(torch.equal(buffers[name], tensor) for name, tensor in model.named_buffers())
    tokens = tiny_labels().clamp(min=0)
    assert torch.equal(forced_logits(model, tiny_pictures(), tokens), forced_logits(loaded, tiny_pictures(), tokens))
    # Dictionaries are equal in any order; the tokens' numbers depend on it.
    assert loaded.language == LANGUAGE and loaded.language.vocabulary == LANGUAGE.vocabulary
    pictures = tiny_pictures()
    assert torch.equal(model.generate(pixel_values=pictures), loaded.generate(pixel_values=pictures))


@every_decoder
def test_a_model_that_has_generated_pickles(options):
    model = tiny_model(**options)
    sequences = model.generate(pixel_values=tiny_pictures())
    assert torch.equal(pickle.loads(pickle.dumps(model)).generate(pixel_values=tiny_pictures()), sequences)


@every_decoder
def test_tied_embeddings_are_one_tensor(options, tmp_path):
    model = tiny_model(**options, tie_word_embeddings=True)
    model.save_pretrained(tmp_path)
    for item in (model, DerenderForConditionalGeneration.from_pretrained(tmp_path)):
        assert item.lm_head.weight is item.decoder.embed_tokens.weight
    assert model.num_parameters() == tiny_model(**options).num_parameters() - 32 * LANGUAGE.vocab_size


@every_decoder
def test_bfloat16_keeps_the_backbone_in_float32(options, tmp_path):
    tiny_model(**options).save_pretrained(tmp_path / "float32")
    half = DerenderForConditionalGeneration.from_pretrained(tmp_path / "float32", dtype=torch.bfloat16)
    half.save_pretrained(tmp_path / "bfloat16")
    again = DerenderForConditionalGeneration.from_pretrained(tmp_path / "bfloat16")
    for model in (half, again):
        kinds = {name: tensor.dtype for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
        assert {kinds[name] for name in kinds if "backbone" in name} == {torch.float32}
        assert {kinds[name] for name in kinds if "backbone" not in name} == {torch.bfloat16}
    tokens = tiny_labels().clamp(min=0)
    logits = forced_logits(again, tiny_pictures(), tokens)
    assert logits.dtype == torch.bfloat16
    assert torch.equal(logits, forced_logits(half, tiny_pictures(), tokens))
    torch.testing.assert_close(
        logits.float(), forced_logits(tiny_model(**options), tiny_pictures(), tokens), rtol=0, atol=0.1
    )
    assert again.generate(pixel_values=tiny_pictures()).shape[0] == 3
    assert forced_logits(tiny_model(**options).to(torch.bfloat16), tiny_pictures(), tokens).isfinite().all()


def test_weights_a_checkpoint_lacks_are_initialised(tmp_path):
    tiny_model().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    lost = ["encoder.backbone.network.layer1.0.conv1.weight", "decoder.layers.0.feed_forward.fc1.weight"]
    save_file({name: item for name, item in weights.items() if name not in lost}, tmp_path / "model.safetensors")
    state = DerenderForConditionalGeneration.from_pretrained(tmp_path).state_dict()
    assert all(0.01 < state[name].std() < 1 for name in lost)
    assert all(torch.equal(weights[name], state[name]) for name in weights if name not in lost)


def test_autocast_on_the_cpu_spares_attention_whose_kernel_is_slow_in_bfloat16(monkeypatch):
    model, pictures, labels = tiny_model(), tiny_pictures(), tiny_labels()
    plain = model(pixel_values=pictures, labels=labels).loss
    kinds, attention = [], F.scaled_dot_product_attention
    monkeypatch.setattr(
        F,
        "scaled_dot_product_attention",
        lambda *args, **kwargs: kinds.append(args[0].dtype) or attention(*args, **kwargs),
    )
    model.encoder.backbone.register_forward_hook(lambda module, inputs, output: kinds.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(pixel_values=pictures, labels=labels).loss
    assert kinds == [torch.bfloat16, *[torch.float32] * 4]
    torch.testing.assert_close(loss, plain, rtol=0, atol=0.1)
