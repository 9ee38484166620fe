#!/usr/bin/env bash
# Sets everything up and generates clips from the project's own scenes.  Can be run again: it goes on where it stopped.
#   scripts/demo.sh [--blender-module VERSION] [DATASET]     DATASET: where to write, default out/demo
set -euo pipefail
# shellcheck source=scripts/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
set_up
output=${1:-$project/out/demo}

say "looking at this machine"
"$venv/bin/animerun-gen" doctor --out "$output"

say "generating the toy clips"
"$venv/bin/animerun-gen" generate "$project/configs/toy" --out "$output" --workers "$(nproc)"

say "drawing a contact sheet"
"$venv/bin/python" "$project/scripts/contact_sheet.py" "$output" "$output/contact_sheet.png"

say "done"
cat <<END
The dataset:           $output
Look at first:         $output/contact_sheet.png
Colour frames:         $output/train/Frame_Anime/
Figures of each pair:  $output/quality/
What lies where:       $project/docs/dataset.md

To use animerun-gen in this shell:  . $venv/bin/activate
END
