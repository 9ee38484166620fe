"""The card of a dataset: ``README.md`` with a head that dataset hubs read, and ``croissant.json`` beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from animerun_gen.dataset import modality, read_json
from animerun_gen.dataset.files import write_json, write_text
from animerun_gen.errors import DatasetError, UsageError
from animerun_gen.publish.about import About
from animerun_gen.publish.croissant import FILE as METADATA
from animerun_gen.publish.croissant import croissant, plain_meaning
from animerun_gen.publish.facts import CREDITS, UNKNOWN, PublishedCut, collect_cuts

FILE = "README.md"

MARK = "<!-- made by animerun-gen card -->"
"""Stands in every card that may be made again."""

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""The size categories of hubs, by the number of frames below which each ends."""

HUB_LICENSES = (
    "cc0-1.0",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "mit",
    "apache-2.0",
)
"""Licences that the head names by their own name; hubs call all others "other"."""


def write_card(root: Path, about: About, *, force: bool = False) -> tuple[list[Path], list[str]]:
    """Write the card of a dataset and its metadata.

    Args:
        root: Root folder of the dataset.
        about: What it is called and who publishes it.
        force: Whether files that this has not written are replaced.

    Returns:
        The files, and what a publisher still has to find out, in sentences.

    Raises:
        UsageError: It is no dataset, or a file of that name is somebody else's.
        DatasetError: A file cannot be read or written.
    """
    cuts = collect_cuts(root)
    card, metadata = root / FILE, root / METADATA
    if not force:
        _require_ours(card, metadata)
    write_text(card, card_text(about, cuts))
    write_json(metadata, croissant(about, cuts))
    return [card, metadata], open_questions(about, cuts)


def _require_ours(card: Path, metadata: Path) -> None:
    foreign = None
    if card.exists() and MARK not in card.read_text(encoding="utf-8", errors="replace"):
        foreign = card
    elif metadata.exists():
        try:
            known = read_json(metadata)
        except DatasetError:
            known = None
        if not isinstance(known, dict) or "rai:dataAnnotationPlatform" not in known:
            foreign = metadata
    if foreign is not None:
        raise UsageError("was not made by this command", foreign, "move it away, or overwrite it with --force")


def open_questions(about: About, cuts: Sequence[PublishedCut]) -> list[str]:
    """What nobody has said about the films, in sentences."""
    questions = []
    for key in CREDITS:
        lacking = [cut.clip.cut for cut in cuts if cut.credits[key] == UNKNOWN]
        if lacking:
            questions.append(
                f"{key} is unknown for {', '.join(lacking)}; set it in the configuration and generate again"
            )
    if about.license_of(cuts) == UNKNOWN:
        questions.append("the licence of the whole is unknown; say it with --license")
    return questions


def card_text(about: About, cuts: Sequence[PublishedCut]) -> str:
    """The card.

    Args:
        about: What the dataset is called and who publishes it.
        cuts: All that is in it.
    """
    head = yaml.safe_dump(card_head(about, cuts), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{head}---\n{MARK}\n\n# {about.name}",
        about.description(cuts),
        _what(cuts),
        _how(cuts),
        _statistics(about, cuts),
        _checks(cuts),
        _licences(about, cuts),
        f"## Citation\n\n{about.citation()}",
    ]
    return "\n\n".join(parts) + "\n"


def card_head(about: About, cuts: Sequence[PublishedCut]) -> dict[str, Any]:
    """What hubs read, as YAML holds it."""
    frames = sum(cut.frames for cut in cuts)
    license = about.license_of(cuts)
    named = license.lower() if license.lower() in HUB_LICENSES else "other"
    head: dict[str, Any] = {"license": UNKNOWN if license == UNKNOWN else named}
    if named == "other" and license != UNKNOWN:
        head["license_name"] = license
    head |= {
        "pretty_name": about.name,
        "task_categories": ["image-to-image", "image-segmentation", "other"],
        "tags": [
            "optical-flow",
            "correspondence",
            "segment-matching",
            "animation",
            "line-art",
            "synthetic",
            "animerun",
        ],
        "size_categories": [next((name for most, name in SIZES if frames < most), "n>1M")],
        "configs": [
            {
                "config_name": "frames",
                "data_files": [
                    {"split": split, "path": f"{split}/Frame_Anime/*/original/*.png"}
                    for split in sorted({cut.clip.split for cut in cuts}, key=("train", "val", "test").index)
                ],
            }
        ],
    }
    return head


def _what(cuts: Sequence[PublishedCut]) -> str:
    names = sorted({name for cut in cuts for name in cut.file_counts})
    rows = []
    for name in names:
        what = modality(name)
        files = sum(cut.file_counts.get(name, 0) for cut in cuts)
        size = sum(cut.sizes.get(name, 0) for cut in cuts)
        rows.append(
            [
                f"`{name}`",
                f"`{what.folder.format(cut='<cut>')}`",
                f"{files:,}",
                f"{size / 1e6:,.1f} MB",
                plain_meaning(name),
            ]
        )
    return "## What is in it\n\n" + _table(["kind", "folder below the split", "files", "size", "meaning"], rows)


def _how(cuts: Sequence[PublishedCut]) -> str:
    versions: dict[str, set[str]] = {}
    for cut in cuts:
        for name, version in cut.made_with.items():
            versions.setdefault(name, set()).add(version)
    rows = [[name, ", ".join(sorted(known))] for name, known in sorted(versions.items())]
    sentences = (
        "Each clip is a shot of a 3D film scene, converted to flat colours and lines and rendered frame by frame. "
        "Flow, validity and occlusion come from the scene's geometry; segments and matches from pictures and flow. A "
        "label is exact, or it is marked as unknown. `manifest/<cut>.json` holds the configuration, the checksum of "
        "the film and the checksum of every file."
    )
    table = _table(["made with", "version"], rows) if rows else "Nothing says which versions made it."
    return f"## How it was made\n\n{sentences}\n\n{table}"


def _statistics(about: About, cuts: Sequence[PublishedCut]) -> str:
    rows = [
        [
            cut.clip.cut,
            cut.clip.split,
            f"{cut.frames:,}",
            f"{cut.resolution[0]} x {cut.resolution[1]}",
            UNKNOWN if cut.unknown_share is None else f"{cut.unknown_share:.2%}",
            UNKNOWN if cut.largest_motion is None else f"{cut.largest_motion:.1f} px",
        ]
        for cut in cuts
    ]
    table = _table(["cut", "split", "frames", "size", "unknown motion", "largest motion"], rows)
    return f"## Statistics\n\n{table}\n\n{about.unknown_sentence(cuts)}"


def _checks(cuts: Sequence[PublishedCut]) -> str:
    rows = []
    for cut in cuts:
        if cut.failures is None:
            verdict = "was not judged"
        elif cut.failures:
            verdict = f"{cut.failures} figures are beyond their thresholds; `quality/{cut.clip.cut}.json` names them"
        else:
            verdict = "all figures are within their thresholds"
        rows.append([cut.clip.cut, verdict])
    return f"## Checks\n\n{_table(['cut', 'quality'], rows)}"


def _licences(about: About, cuts: Sequence[PublishedCut]) -> str:
    rows = [[cut.clip.cut, cut.film, f"`{cut.sha256[:16]}`", *(cut.credits[key] for key in CREDITS)] for cut in cuts]
    table = _table(["cut", "film", "SHA-256 begins with", "licence", "author", "from", "attribution"], rows)
    return f"## Licences\n\nThe dataset as a whole: {about.license_of(cuts)}.\n\n{table}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )
