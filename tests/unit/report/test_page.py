"""The page that sums up a run, from small tables made up for the purpose."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from write_report import load_tables, write_report

TEMPLATE = Path(__file__).resolve().parents[3] / "workflow" / "templates" / "summary.html"
SSIM = {"input": 0.2, "gan": 0.31, "truth": 0.27}
CLAIMS = pd.DataFrame(
    [("W1", "a < b & c", "288 nm", "reproduced", "demo", "simulated")],
    columns=["id", "published", "measured", "verdict", "scale", "data"],
)


class Reader(HTMLParser):
    """Collects the rows of all tables, and all words."""

    def __init__(self):
        super().__init__()
        self.rows, self.words, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def metric_rows():
    rows = [
        ("01", method, np.nan, "ssim", value + change)
        for method, value in SSIM.items()
        for change in (-0.01, 0.01)
    ]
    rows += [("01", "input", np.nan, "fwhm_nm", np.nan), ("01", "gan", np.nan, "fwhm_nm", 118.0)]
    rows += [("01", "gan", np.nan, "ssim_truth", 0.9), ("01", "gan", np.nan, "mse", 0.01)]
    return pd.DataFrame(rows, columns=["field", "method", "seed", "metric", "value"])


@pytest.fixture
def channel(tmp_path):
    """What a rule says of a channel, with its tables on disk."""
    registration = pd.DataFrame(
        {
            "field": ["01", "NA", "03"],
            "batch": ["train_000", "train_001", "test_000"],
            "accepted": [True, False, True],
            "reason": ["", "does <not> match", ""],
            "correlation": [0.9, 0.1234567, 0.8],
            "residual_px": [0.1, np.nan, 0.3],
        }
    )
    pairs = pd.DataFrame(
        [
            ("01", method, f"pair_{n}", "peak_to_peak_nm", value)
            for method, values in {"target": (180, 200, np.nan), "gan": (185, np.nan, 190)}.items()
            for n, value in enumerate(values)
        ],
        columns=["field", "method", "structure", "metric", "value"],
    )
    errors = pd.DataFrame({"field": ["01", "03"], "error_rms_px": [0.05, 0.15]})
    tables = {
        "registration": registration,
        "structures": pairs,
        "metrics": metric_rows(),
        "error": errors.assign(error_rms_nm=30 * errors.error_rms_px),
    }
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    best = {"method": "richardson_lucy", "iterations": 12, "damping": 0.001,
            "validation_pearson_r": 0.91234, "at_limit_of_grid": False}  # fmt: skip
    (tmp_path / "parameters.json").write_text(json.dumps(best))
    return {
        "experiment": "confocal_sted_beads",
        "channel": "beads",
        "title": "Beads & <b>more</b>",
        "data": "simulated",
        "cut": None,
        "metrics": str(tmp_path / "metrics.csv"),
        "structures": str(tmp_path / "structures.csv"),
        "registration": str(tmp_path / "registration.csv"),
        "registration_error": [str(tmp_path / "error.csv")],
        "parameters": [str(tmp_path / "parameters.json")],
    }


@pytest.fixture
def written(channel, tmp_path):
    """Write the page with some changes, and return its rows and its words."""

    def write(**changes):
        CLAIMS.to_csv(tmp_path / "claims.csv", index=False)
        found = load_tables({**channel, **changes})
        paths = (tmp_path / "claims.csv", TEMPLATE)
        write_report([found], *paths, "demo", tmp_path / "summary.html")
        reader = Reader()
        reader.feed((tmp_path / "summary.html").read_text(encoding="utf-8"))
        return reader.rows, " ".join(" ".join(reader.words).split())

    return write


def test_every_method_has_a_row_from_input_to_truth(written):
    rows, _ = written()
    start = next(n for n, row in enumerate(rows) if "SSIM" in row)
    headings = ["", "FWHM (nm)", "SSIM", "SSIM to truth", "close pairs resolved"]
    assert rows[start] == headings
    assert rows[start + 1] == ["input", "not measurable", "0.2 ± 0.014", "", ""]
    # of the pairs that the target resolves the network resolves the first
    assert rows[start + 2] == ["GAN", "118", "0.31 ± 0.014", "0.9", "1 of 2"]
    assert rows[start + 3][0] == "truth without noise"


def test_the_ceiling_is_said_where_the_truth_is_known(written, tmp_path):
    _, words = written()
    assert "the truth without noise itself reaches an SSIM of 0.27." in words
    metrics = metric_rows()
    metrics[metrics.method != "truth"].to_csv(tmp_path / "real.csv", index=False)
    _, words = written(metrics=str(tmp_path / "real.csv"))
    assert "ceiling" not in words


def test_names_and_reasons_are_words_and_never_markup(written):
    rows, words = written()
    assert "Beads & <b>more</b>" in words
    assert ["NA", "does <not> match", "0.1235"] in rows
    assert ["W1", "a < b & c", "288 nm", "reproduced", "demo", "simulated"] in rows


def test_the_registration_is_summed_up(written):
    _, words = written()
    assert "Fields: 2 train, 1 test." in words
    assert "2 of 3 fields are accepted by the registration." in words
    assert "0.2 px rms in the median field, 0.3 px in the worst." in words
    assert "it is off by 0.1 px rms (3 nm) in the median field, 0.15 px in the worst." in words


def test_real_images_are_called_measured_and_have_no_true_error(written):
    _, words = written(data="measured", registration_error=[], metrics=None)
    assert "measured images" in words
    assert "simulated microscopes" not in words
    assert "truth" not in words


def test_best_parameters_are_said(written):
    _, words = written()
    assert (
        "Lucy–Richardson is best on the validation fields at 12 iterations and a damping of 0.001 "
        "(Pearson r 0.912)." in words
    )


def test_a_search_that_ended_at_its_limit_is_said(written, tmp_path):
    best = {"method": "nnls", "iterations": 100, "step": 0.5, "validation_pearson_r": 0.9,
            "at_limit_of_grid": True}  # fmt: skip
    (tmp_path / "nnls.json").write_text(json.dumps(best))
    _, words = written(parameters=[str(tmp_path / "nnls.json")])
    assert "a step of 0.5 (Pearson r 0.900), the last iteration searched" in words


def test_strips_of_one_image_are_warned_of(written):
    assert "12 unused pixels apart" in written(cut={"guard_px": 12})[1]
    assert "strips" not in written()[1]


def test_pairs_that_are_only_registered_have_no_methods(written):
    rows, words = written(metrics=None, structures=None, parameters=[])
    assert "Mean ± standard deviation" not in words
    assert not [row for row in rows if "SSIM" in row]


def test_the_spread_over_seeds_is_that_of_the_means_over_fields(written, tmp_path):
    rows = [
        (field, method, seed, "ssim", value)
        for method, seeds in {"gan": (0.2, 0.4), "rcan": (0.5,)}.items()
        for seed, mean in enumerate(seeds)
        for field, value in (("01", mean - 0.1), ("03", mean + 0.1))
    ]
    table = pd.DataFrame(rows, columns=["field", "method", "seed", "metric", "value"])
    table.to_csv(tmp_path / "seeds.csv", index=False)
    rows, words = written(metrics=str(tmp_path / "seeds.csv"))
    assert "Spread over seeds" in words
    start = rows.index(["", "seeds", "SSIM"])
    assert rows[start + 1] == ["GAN", "2", "0.3 ± 0.14"]
    assert rows[start + 2][0] != "RCAN"


def test_one_seed_has_no_spread(written):
    assert "Spread over seeds" not in written()[1]


@pytest.mark.parametrize(("of_gan", "said"), [(0.3, False), (2.5, True)])
def test_a_network_that_paints_noise_is_named(written, tmp_path, of_gan, said):
    unevenness = {"input": 3.0, "richardson_lucy": 9.0, "gan": of_gan, "cnn": 0.2, "target": 4.0}
    rows = [("01", method, np.nan, "background_sd", sd) for method, sd in unevenness.items()]
    metrics = pd.concat([metric_rows(), pd.DataFrame(rows, columns=metric_rows().columns)])
    metrics.to_csv(tmp_path / "painted.csv", index=False)
    _, words = written(metrics=str(tmp_path / "painted.csv"))
    assert ("GAN paints a pattern" in words) == said
    assert not said or "uneven by 2.5 counts where the target's noise is 4" in words
    assert "CNN paints" not in words
    assert "background of CNN is uneven" not in words
    assert "Richardson paints" not in words


def test_a_network_without_a_discriminator_is_not_told_to_show_it_noise(written, tmp_path):
    rows = [("01", name, np.nan, "background_sd", sd) for name, sd in (("cnn", 2.5), ("target", 4))]
    metrics = pd.concat([metric_rows(), pd.DataFrame(rows, columns=metric_rows().columns)])
    metrics.to_csv(tmp_path / "uneven.csv", index=False)
    _, words = written(metrics=str(tmp_path / "uneven.csv"))
    assert "The background of CNN is uneven by 2.5 counts where the target's noise is 4" in words
    assert "paints a pattern" not in words
    assert "discriminator" not in words
