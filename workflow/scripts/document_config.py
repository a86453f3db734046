"""Write what crossres.settings says for people and for editors: a page and two JSON schemas.

python workflow/scripts/document_config.py, as `make config/README.md` does
"""

import json
from pathlib import Path

from crossres.section import Section
from crossres.settings.config import Config
from crossres.settings.document import json_schema, page
from crossres.settings.experiment import ExperimentFile

REPOSITORY = Path(__file__).resolve().parents[2]


def documents() -> dict[str, str]:
    """Return the text of every file that is written, by its path in the repository."""
    schemas: dict[str, type[Section]] = {"config": Config, "experiment": ExperimentFile}
    return {
        "config/README.md": page(),
        **{
            f"workflow/schemas/{name}.schema.json": json.dumps(
                json_schema(root), indent=1, ensure_ascii=False
            )
            + "\n"
            for name, root in schemas.items()
        },
    }


if __name__ == "__main__":
    for path, text in documents().items():
        (REPOSITORY / path).write_text(text, encoding="utf-8")
