"""The networks: the paper's sizes, the paper's shapes, and the existing recipes' as they were."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from lionkit_lab import models
from lionkit_lab.errors import UsageError
from lionkit_lab.models import PUBLISHED
from lionkit_lab.recipe import BERT, GPT2, MLP, ResNet, ViT, load

CIFAR10, CIFAR100, IMAGENET, IMAGENET_21K = 10, 100, 1000, 21_843


def build(settings, classes=10, vocabulary=13, context=8, shape=(1, 28, 28)):
    if isinstance(settings, GPT2 | BERT):
        return models.language_model(settings, vocabulary, context)
    return models.image_classifier(settings, shape, classes)


def full_size(name, classes=None):
    """Without memory for its weights."""
    settings = models.published(name)
    vocabulary, context = (50_257, 1024) if isinstance(settings, GPT2) else (30_522, 512)
    with torch.device("meta"):
        return build(settings, classes or CIFAR10, vocabulary, context, (3, 224, 224))


def dim(model: nn.Module) -> int:
    return sum(param.numel() for param in model.parameters())


# The numbers in the captions of figures 1, B.4 and B.5. For a ResNet on CIFAR they are those of the 3x3 stem, rounded;
# those of ImageNet's stem would have to be cut. Figure B.5 repeats CIFAR-100's for the ResNets, where a head for
# 1,000 classes would give 3418 and 5055; for ViT-S it has the head of ImageNet-21k.
@pytest.mark.parametrize(
    ("name", "classes", "root"),
    [
        ("resnet18-cifar", CIFAR10, 3343),
        ("resnet50-cifar", CIFAR10, 4850),
        ("vit-s", CIFAR10, 4655),
        ("resnet18-cifar", CIFAR100, 3350),
        ("resnet50-cifar", CIFAR100, 4869),
        ("vit-s", CIFAR100, 4659),
        ("vit-s", IMAGENET_21K, 5484),
    ],
)
def test_the_root_of_the_number_of_weights_is_the_papers(name, classes, root):
    assert round(math.sqrt(dim(full_size(name, classes)))) == root


@pytest.mark.parametrize(
    ("name", "classes", "count"),
    [
        ("resnet18", CIFAR100, 11_227_812),
        ("resnet50", CIFAR100, 23_712_932),
        ("resnet18", IMAGENET, 11_689_512),
        ("resnet50", IMAGENET, 25_557_032),
        ("vit-s", CIFAR100, 21_704_164),
        ("vit-s", IMAGENET, 22_050_664),
        ("bert-small", None, 29_058_876),
        ("bert-base", None, 110_106_428),
        ("gpt2-small", None, 124_439_808),
        ("gpt2-medium", None, 354_823_168),
    ],
)
def test_published_networks_have_their_published_size(name, classes, count):
    assert dim(full_size(name, classes)) == count


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_weight_of_a_published_network_needs_a_gradient(name):
    model = full_size(name)
    assert all(param.requires_grad for param in model.parameters())
    assert len({id(param) for param in model.parameters()}) == len(list(model.parameters()))


def test_stems_halve_as_they_should():
    images = torch.randn(2, 3, 32, 32)
    sides = {}
    for stem, stride in (("3x3", 1), ("3x3", 2), ("7x7", 1)):
        settings = ResNet(name="resnet", widths=(8, 16), stem=stem, stem_stride=stride)
        model = models.resnet(settings, 3, 10)
        sides[stem, stride] = model.resnet.embedder(images).shape
    assert sides == {("3x3", 1): (2, 8, 32, 32), ("3x3", 2): (2, 8, 16, 16), ("7x7", 1): (2, 8, 8, 8)}


def test_a_bottleneck_has_a_quarter_of_the_channels_between():
    model = models.resnet(ResNet(name="resnet", widths=(32, 64), depth=(1, 2), layer="bottleneck"), 1, 10)
    shapes = [tuple(m.weight.shape) for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert shapes[0] == (8, 1, 3, 3)  # the stem
    assert [shape for shape in shapes[1:] if shape[2] == 3] == [(8, 8, 3, 3), (16, 16, 3, 3), (16, 16, 3, 3)]


@pytest.mark.parametrize("settings", [ViT(name="vit", width=24, patch=14), GPT2(name="gpt2", width=24)])
def test_first_weights_are_as_wide_as_the_recipe_says(settings):
    widths = {}
    for std in (None, 0.2):
        model = build(settings.model_copy(update={"init_std": std}))
        found = next(param for name, param in model.named_parameters() if "position" in name or "wpe" in name)
        widths[std] = found.std().item()
    assert widths[None] == pytest.approx(0.02 * math.sqrt(768 / 24), rel=0.2)
    assert widths[0.2] == pytest.approx(0.2, rel=0.2)


def test_the_mlp_ratio_widens_a_vit():
    two, four = (build(ViT(name="vit", width=16, layers=1, mlp_ratio=ratio)) for ratio in (2, 4))
    assert dim(four) - dim(two) == 2 * 16 * 32 + 32


def test_bert_has_both_heads_and_every_row_of_its_embedding_learns():
    model = build(BERT(name="bert", width=16, layers=1, heads=2))
    tokens, labels = torch.randint(13, (3, 8)), torch.randint(13, (3, 8))
    found = model(
        input_ids=tokens,
        token_type_ids=torch.tensor([[0] * 4 + [1] * 4] * 3),
        attention_mask=torch.ones(3, 8, dtype=torch.int64),
        labels=labels,
        next_sentence_label=torch.tensor([0, 1, 1]),
    )
    assert found.prediction_logits.shape == (3, 8, 13)
    assert found.seq_relationship_logits.shape == (3, 2)
    parts = nn.functional.cross_entropy(found.prediction_logits.flatten(0, 1), labels.flatten())
    parts = parts + nn.functional.cross_entropy(found.seq_relationship_logits, torch.tensor([0, 1, 1]))
    assert found.loss.item() == pytest.approx(parts.item(), rel=1e-5)
    found.loss.backward()
    assert all(param.grad.abs().sum() > 0 for param in model.parameters())
    assert model.bert.embeddings.word_embeddings.padding_idx is None


def test_the_mlp_is_the_one_of_the_textbook():
    model = models.mlp(MLP(name="mlp", widths=(5, 3)), (2, 3, 4), 7)
    images = torch.randn(6, 2, 3, 4)
    (a, b, c) = model.layers
    expected = c(torch.relu(b(torch.relu(a(images.reshape(6, 24))))))
    assert torch.equal(model(pixel_values=images).logits, expected)
    wide = models.mlp(MLP(name="mlp", widths=(400,)), (1, 28, 28), 10)
    assert wide.layers[0].weight.std().item() == pytest.approx(math.sqrt(2 / 784), rel=0.02)


@pytest.mark.parametrize("settings", [ResNet(name="resnet", widths=(8, 16)), MLP(name="mlp")])
def test_images_need_not_be_square_but_for_a_vit(settings):
    assert build(settings, shape=(3, 20, 28))(pixel_values=torch.randn(2, 3, 20, 28)).logits.shape == (2, 10)
    with pytest.raises(UsageError, match="images of 20 x 28 pixels are not square; resnet and mlp take them"):
        build(ViT(name="vit"), shape=(3, 20, 28))


# What the code before there were stems, layers, MLPs and spreads to choose made of seed 0: weights, and their l1 norm.
BEFORE = {
    "fashion-mnist": (41_770, 2825.6568287390373),
    "moby-dick": (109_504, 5133.816351481995),
    "resnet": (77_754, 4747.7521789042685),
}


def test_the_existing_recipes_have_the_weights_that_they_had():
    found = {}
    for name in BEFORE:
        torch.manual_seed(0)
        model = build(ResNet(name="resnet") if name == "resnet" else load(name).model, 10, 83, 64)
        found[name] = dim(model), sum(param.double().abs().sum().item() for param in model.parameters())
    assert found == {name: (count, pytest.approx(norm, rel=1e-9)) for name, (count, norm) in BEFORE.items()}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.depth=0",
            "model.depth: 0 is not allowed: must be an integer of at least 1, or a list of such, one a stage",
        ),
        ("model.depth=[1,2]", "model: depth [1, 2] is not allowed: must have one number for each of the 3 widths"),
        ("model.stem='5x5'", "model.stem: \"5x5\" is not allowed: must be '3x3' or '7x7'"),
        (
            "model={name='resnet', stem='7x7', stem_stride=2}",
            'model: stem_stride 2 is not allowed with stem "7x7": it has its own',
        ),
        (
            "model={name='resnet', layer='bottleneck', widths=[6]}",
            'model: widths [6] are not allowed: must be multiples of 4 with layer "bottleneck"',
        ),
        ("model={name='vit', mlp_ratio=0}", "model.mlp_ratio: 0 is not allowed: must be greater than or equal to 1"),
        ("model={name='vit', init_std=0}", "model.init_std: 0 is not allowed: must be greater than 0"),
    ],
)
def test_a_network_that_cannot_be_is_refused_in_one_line(tiny: Path, override: str, message: str):
    vit = 'name = "vit"\nwidth = 16\nlayers = 1\nheads = 2\ndropout = 0.1'
    tiny.write_text(tiny.read_text().replace(vit, 'name = "resnet"'))
    with pytest.raises(UsageError) as caught:
        load(tiny, [override])
    assert str(caught.value) == f"tiny.toml: {message}"


def test_settings_at_their_defaults_do_not_change_the_hash_of_a_recipe(tiny: Path):
    resnet = "model={name='resnet', widths=[8]"
    bare = load(tiny, [resnet + "}"]).sha256()
    assert load(tiny, [resnet + ", stem='3x3', layer='basic', depth=1}"]).sha256() == bare
    assert load(tiny, [resnet + ", depth=[2]}"]).sha256() != bare


def test_the_room_opens_without_transformers():
    code = "import sys, lionkit_lab.models, lionkit_lab.ratio; print('transformers' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
