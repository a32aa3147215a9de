"""Installs the command and the packages behind it; ranges admit what the project is tried with."""

from pathlib import Path

from setuptools import find_packages, setup


WEIGHTS = "derender_pretrained"

setup(
    name="derender",
    version="0.1.0",
    description="Turns a computer-generated image back into the specification that drew it.",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0 AND CC-BY-NC-4.0",  # the latter for the weights of Abstract Scenes
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["derender", "modeling_derender*", "derender_training*", "datasets_scripts*"]),
        WEIGHTS,
    ],
    package_dir={WEIGHTS: "pretrained"},
    entry_points={"console_scripts": ["derender = derender.cli:main"]},
    # The data sets' cards, which a build copies; and the weights.
    package_data={"datasets_scripts": ["*/README.md"], WEIGHTS: ["*/*"]},
    install_requires=[
        "accelerate>=1.15,<2",
        "datasets>=5.0,<6",
        "evaluate>=0.4.6,<0.5",
        "httpx>=0.28",
        "matplotlib>=3.9",
        "numpy>=2.0,<3",
        "pillow>=11.0",
        "pyyaml>=6.0.1",
        "safetensors>=0.8",
        "scipy>=1.13",
        "tensorboard>=2.18",
        "timm>=1.0.20,<2",
        "torch>=2.11,<3",
        "torchvision>=0.26",
        "tqdm>=4.66.3",
        "transformers>=5.17,<6",
    ],
    extras_require={
        "page": ["gradio>=6.28,<7"],  # derender serve
        "dev": ["gradio>=6.28,<7", "playwright>=1.50", "pytest>=8", "pytest-xdist>=3.8", "ruff==0.17.6"],
    },
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
)
