"""Croissant metadata of a dataset (MLCommons, version 1.1), with its responsible-AI fields.

Its files are named by patterns below the folder of the metadata, so that the same file describes the dataset wherever
the folder is put.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from animerun_gen.dataset import modality
from animerun_gen.publish.about import About
from animerun_gen.publish.facts import PublishedCut

FILE = "croissant.json"

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""What the short names mean; the standard prescribes it."""

MEDIA_TYPES = {".png": "image/png", ".npz": "application/zip", ".json": "application/json"}
"""Of files that have one; all others are of :data:`OTHER_TYPE`."""

OTHER_TYPE = "application/octet-stream"


def croissant(about: About, cuts: Sequence[PublishedCut]) -> dict[str, Any]:
    """The metadata, as JSON-LD.

    Args:
        about: What the dataset is called and who publishes it.
        cuts: All that is in it.
    """
    names = _in_order(cuts)
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": about.name,
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "description": about.description(cuts),
        "license": about.license_url(cuts),
        "url": about.url,
        "version": about.version,
        "datePublished": about.date,
        "creator": {"@type": "sc:Organization", "name": about.creator},
        "citeAs": about.citation(),
        "keywords": ["optical flow", "segment matching", "2D animation", "line art", "point tracking"],
        "isLiveDataset": False,
        "distribution": [
            _file_set(name, {cut.suffixes[name] for cut in cuts if name in cut.suffixes}) for name in names
        ],
        "recordSet": [_record_set(name) for name in names if modality(name).content == "picture"],
        **responsible_ai(about, cuts),
    }


def _in_order(cuts: Sequence[PublishedCut]) -> list[str]:
    return sorted({name for cut in cuts for name in cut.file_counts})


def _file_set(name: str, suffixes: Collection[str]) -> dict[str, Any]:
    what = modality(name)
    patterns = [f"*/{what.folder.format(cut='*')}/*{suffix}" for suffix in sorted(suffixes)]
    types = {MEDIA_TYPES.get(suffix, OTHER_TYPE) for suffix in suffixes}
    return {
        "@type": "cr:FileSet",
        "@id": name,
        "name": name,
        "description": plain_meaning(name),
        "encodingFormat": types.pop() if len(types) == 1 else OTHER_TYPE,
        # of some cuts they may be compressed
        "includes": patterns[0] if len(patterns) == 1 else patterns,
    }


def _record_set(name: str) -> dict[str, Any]:
    file_set = {"@id": name}
    return {
        "@type": "cr:RecordSet",
        "@id": f"{name}_files",
        "name": f"{name}_files",
        "description": f"The files of {name}, one a record: split, cut and frame are in the path.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}_files/path",
                "name": "path",
                "description": "Path below the root of the dataset.",
                "dataType": "sc:Text",
                "source": {"fileSet": file_set, "extract": {"fileProperty": "fullpath"}},
            },
            {
                "@type": "cr:Field",
                "@id": f"{name}_files/picture",
                "name": "picture",
                "description": plain_meaning(name),
                "dataType": "sc:ImageObject",
                "source": {"fileSet": file_set, "extract": {"fileProperty": "content"}},
            },
        ],
    }


def plain_meaning(name: str) -> str:
    """What a kind of file is, without emphasis and without links to pages that are not published with it."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1 of animerun-gen", modality(name).meaning.replace("**", ""))


def responsible_ai(about: About, cuts: Sequence[PublishedCut]) -> dict[str, Any]:
    """The fields of the responsible-AI extension that can be said of every dataset made here."""
    films = ", ".join(sorted({cut.film for cut in cuts}))
    return {
        "rai:dataCollection": f"Rendered from animated 3D scenes ({films}) in the style of 2D animation.",
        "rai:dataCollectionType": "Software Collection",
        "rai:dataPreprocessingProtocol": [
            "Surfaces are drawn in flat colours with lines; what 2D style does not have is removed or replaced, as the "
            "configuration in each manifest says."
        ],
        "rai:dataAnnotationProtocol": "Flow, validity and occlusion are computed from the geometry of the scene; no "
        "label was drawn or estimated from pictures. Where the motion is not known, it is marked as unknown.",
        "rai:dataAnnotationPlatform": ["animerun-gen"],
        "rai:dataManipulationProtocol": "None after rendering.",
        "rai:dataLimitations": [
            "Pictures are rendered, not drawn by hand: timing, lines and colours differ from those that are.",
            about.unknown_sentence(cuts),
        ],
        "rai:dataBiases": [
            f"It shows what {len({cut.film for cut in cuts})} films show and no more: it is no sample of all animation."
        ],
        "rai:dataUseCases": ["Training and evaluation of correspondence: optical flow, segments, points."],
        "rai:dataSocialImpact": "None is known beyond that of the films themselves.",
        "rai:personalSensitiveInformation": ["None: the figures are invented, unless a film says otherwise."],
        "rai:dataReleaseMaintenancePlan": f"Version {about.version}; a later version is made again as a whole.",
    }
