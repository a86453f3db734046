import numpy as np
import pytest
from pydantic import ValidationError

from crossres.samples import SAMPLES
from crossres.samples.cells import Filaments, Nuclei
from crossres.samples.drawing.cells import BORDER_NM, outline_distance, place_cells

SIZE_NM, PIXEL_NM = 100e3, 250.0
LAYERS_NM = np.linspace(-2000, 2000, 5)
ACTIN = Filaments(
    structure="filaments", fibre_count=40, width_nm=250.0, curvature=0.015, strands=3,
    alignment=0.85, haze=0.0,
)  # fmt: skip
MICROTUBULES = Filaments(
    structure="filaments", fibre_count=120, width_nm=180.0, curvature=0.06, strands=1,
    alignment=0.15, haze=0.0,
)  # fmt: skip
NUCLEI = Nuclei(structure="nuclei")


def cells_of(density=450, size_nm=SIZE_NM, seed=5):
    rng = np.random.default_rng(seed)
    return place_cells(size_nm, density, rng)


def one_cell(y_nm=50e3, x_nm=47e3):
    cell = cells_of()[:1].copy()
    away = cell.y_nm - y_nm, cell.x_nm - x_nm
    for column in ("y_nm", "nucleus_y_nm"):
        cell[column] -= away[0]
    for column in ("x_nm", "nucleus_x_nm"):
        cell[column] -= away[1]
    return cell


def hazy(part):
    return ACTIN.model_copy(update={"haze": part})


def drawn(cells, stain, pixel_nm=PIXEL_NM):
    side = round(SIZE_NM / pixel_nm)
    volume = np.zeros((len(LAYERS_NM), side, side), np.float32)
    stain.draw(volume, cells, pixel_nm, LAYERS_NM, np.random.default_rng(1))
    return volume


def pixel_centres(pixel_nm=PIXEL_NM):
    centre = (np.arange(round(SIZE_NM / pixel_nm)) + 0.5) * pixel_nm
    return centre[:, None], centre[None, :]


def test_density_counts_the_border_too():
    cells = cells_of(density=300, size_nm=1e6)
    # a Poisson number of mean 300 on 1.08 mm squared
    assert len(cells) == pytest.approx(300 * 1.08**2, abs=4 * 19)
    for axis in ("y_nm", "x_nm"):
        assert cells[axis].between(-BORDER_NM, 1e6 + BORDER_NM).all()
        assert cells[axis].mean() == pytest.approx(0.5e6, abs=5e4)


def test_cells_keep_apart():
    cells = cells_of(density=300, size_nm=1e6)
    places = cells[["y_nm", "x_nm"]].to_numpy()
    away = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) + np.diag([np.inf] * len(cells))
    # cells thrown at random would be 1 / (2 sqrt(density)) from their nearest neighbour
    assert away.min(axis=1).mean() > 1.2 * 1e6 / (2 * np.sqrt(300))


def test_nuclei_are_10_to_18_um_wide_and_lie_within_their_cell():
    cells = cells_of(density=300, size_nm=1e6)
    assert (2 * cells.nucleus_short_nm).min() >= 10e3
    assert (2 * cells.nucleus_long_nm).max() <= 18e3
    distance = [outline_distance(cell, cell.nucleus_y_nm, cell.nucleus_x_nm)
                for cell in cells.itertuples()]  # fmt: skip
    assert np.mean(np.array(distance) < 0.6) > 0.98


def test_an_outline_without_lobes_is_an_ellipse_of_the_cells_area():
    cell = next(one_cell().assign(lobe_3=0.0, lobe_4=0.0, elongation=2.0, angle=0.0).itertuples())
    area = np.sum(outline_distance(cell, *pixel_centres()) < 1) * PIXEL_NM**2
    assert area == pytest.approx(np.pi * cell.radius_nm**2, rel=5e-3)
    long, short = cell.radius_nm * np.sqrt(2), cell.radius_nm / np.sqrt(2)
    assert outline_distance(cell, cell.y_nm, cell.x_nm + long) == pytest.approx(1)
    assert outline_distance(cell, cell.y_nm + short, cell.x_nm) == pytest.approx(1)


@pytest.mark.parametrize("stain", [ACTIN, MICROTUBULES, hazy(0.3)])
def test_filaments_lie_within_their_cell_and_throughout_it(stain):
    cell = one_cell()
    image = drawn(cell, stain).sum(axis=0)
    distance = outline_distance(next(cell.itertuples()), *pixel_centres())
    assert image[distance > 1.1].sum() < 0.01 * image.sum()
    quarters = [image[(distance >= low) & (distance < low + 0.2)].sum() for low in (0.2, 0.4, 0.6)]
    assert min(quarters) > 0.1 * image.sum()


def test_filaments_lie_low_but_in_several_layers():
    light = drawn(cells_of(), ACTIN).sum(axis=(1, 2), dtype=float)
    share = light / light.sum()
    assert share[1:3].sum() > 0.5
    assert (share > 0.01).sum() >= 4


def test_filaments_lie_at_the_same_place_on_a_finer_grid():
    cells = cells_of()
    coarse = drawn(cells, ACTIN).sum(axis=0)
    fine = drawn(cells, ACTIN, pixel_nm=PIXEL_NM / 2).sum(axis=0)
    binned = fine.reshape(len(coarse), 2, len(coarse), 2).sum(axis=(1, 3))
    # half a pixel's shift leaves 0.9
    assert np.corrcoef(coarse.ravel(), binned.ravel())[0, 1] > 0.98


def test_haze_is_its_part_of_the_light():
    cells = cells_of()
    light = [drawn(cells, hazy(haze)).sum(dtype=float) for haze in (0.0, 0.25)]
    assert light[0] / light[1] == pytest.approx(0.75, rel=1e-3)


def test_twice_the_fibres_twice_the_light():
    cells = cells_of()
    light = [
        drawn(cells, ACTIN.model_copy(update={"fibre_count": n})).sum(dtype=float)
        for n in (60, 120)
    ]
    assert light[1] / light[0] == pytest.approx(2, rel=0.15)


def test_two_kinds_of_filaments_share_the_cells_but_not_the_fibres():
    cells = cells_of(density=350)
    actin, tubulin = (drawn(cells, s).sum(axis=0) for s in (ACTIN, MICROTUBULES))
    correlation = np.corrcoef(actin.ravel(), tubulin.ravel())[0, 1]
    assert 0.1 < correlation < 0.7
    blurred = [image.reshape(20, 20, 20, 20).sum(axis=(1, 3)) for image in (actin, tubulin)]
    assert np.corrcoef(*[image.ravel() for image in blurred])[0, 1] > correlation + 0.1


def test_some_of_the_field_is_empty():
    image = drawn(cells_of(density=350), MICROTUBULES).sum(axis=0)
    blocks = image.reshape(20, 20, 20, 20).max(axis=(1, 3))
    assert 0.03 < np.mean(blocks < 1e-3 * blocks.max()) < 0.7


def test_nuclei_lie_where_the_cells_have_them():
    cell = one_cell()
    image = drawn(cell, NUCLEI).sum(axis=0, dtype=float)
    y, x = pixel_centres()
    away = np.hypot(y - cell.nucleus_y_nm.item(), x - cell.nucleus_x_nm.item())
    assert image[away > 1.2 * cell.nucleus_long_nm.item()].sum() < 1e-3 * image.sum()
    centroid = (image * y).sum() / image.sum(), (image * x).sum() / image.sum()
    # grains and nucleoli pull it aside
    expected = cell.nucleus_y_nm.item(), cell.nucleus_x_nm.item()
    np.testing.assert_allclose(centroid, expected, atol=700)
    lit_nm2 = np.sum(image > 0.15 * image.max()) * PIXEL_NM**2
    ellipse_nm2 = np.pi * (cell.nucleus_long_nm * cell.nucleus_short_nm).item()
    assert lit_nm2 == pytest.approx(ellipse_nm2, rel=0.2)


@pytest.mark.parametrize("place", [(0.0, 0.0), (99e3, 45e3), (-20e3, 50e3)])
@pytest.mark.parametrize("stain", [ACTIN, NUCLEI])
def test_cells_at_the_border_are_drawn_as_far_as_they_are_seen(place, stain):
    centre, aside = 50e3, np.array(place) - 50e3
    there = drawn(one_cell(*place), stain).sum(axis=0)
    whole = drawn(one_cell(centre, centre), stain).sum(axis=0)
    dy, dx = (aside / PIXEL_NM).astype(int)
    side = len(whole)
    rows, columns = slice(max(0, -dy), side - max(0, dy)), slice(max(0, -dx), side - max(0, dx))
    moved = there[max(0, dy) : side + min(0, dy), max(0, dx) : side + min(0, dx)]
    # fibres that end at the border are blurred less there
    inner = np.s_[3:-3, 3:-3]
    expected = whole[rows, columns][inner]
    np.testing.assert_allclose(moved[inner], expected, atol=1e-3 * whole.max())


@pytest.mark.parametrize("stain", [ACTIN, NUCLEI])
def test_drawings_are_never_negative_and_always_the_same(stain):
    volume = drawn(cells_of(), stain)
    assert volume.shape == (5, 400, 400)
    assert volume.dtype == np.float32
    assert volume.min() >= 0 < volume.max()
    np.testing.assert_array_equal(volume, drawn(cells_of(), stain))


@pytest.mark.parametrize("stain", [hazy(0.3), NUCLEI])
def test_no_cells_give_a_dark_volume(stain):
    assert not drawn(cells_of(density=0), stain).any()


def test_another_structure_is_the_users_mistake():
    with pytest.raises(ValidationError, match="mitochondria"):
        SAMPLES["cells"](kind="cells", stains={"dapi": {"structure": "mitochondria"}})


def test_layers_lie_about_the_focus_and_show_the_stain_of_their_channel():
    sample = SAMPLES["cells"](
        kind="cells", thickness_um=6.0, density_per_mm2=900.0,
        stains={"actin": ACTIN.model_copy(update={"brightness": 0.7}), "dapi": NUCLEI},
    )  # fmt: skip
    layers = {
        channel: sample.layers(channel, 60e3, 400.0, *map(np.random.default_rng, [1, 2]))
        for channel in ("actin", "dapi")
    }
    for drawing in layers.values():
        assert drawing.density.shape == (len(drawing.height_nm), 150, 150)
        np.testing.assert_allclose(drawing.height_nm[[0, -1]], [-3000, 3000])
        assert np.ptp(np.diff(drawing.height_nm)) == pytest.approx(0)
    assert layers["actin"].brightness == 0.7
    assert layers["dapi"].brightness == 1.0
    # nuclei lie in cells, and cells are the same in both channels
    actin, dapi = (layers[c].density.sum(axis=0) for c in ("actin", "dapi"))
    bright = dapi > 0.2 * dapi.max()
    assert (actin[bright] > 0).mean() > 2 * (actin > 0).mean() - 1
    assert np.corrcoef((actin > 0).ravel(), bright.ravel())[0, 1] > 0.1
